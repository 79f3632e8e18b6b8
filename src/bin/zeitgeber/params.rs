//! `zeitgeber params`: every parameter with its values.

use crate::args::Problem;
use crate::{print, print_json};
use serde_json::{Value, json};
use zeitgeber::engine::Control;
use zeitgeber::engine::controls::{CONTROLS, Scale, Values};

/// List every parameter: id, values, default and what it does
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    zeitgeber params\n  \
    zeitgeber params --json")]
pub struct Args {
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Prints the list.
    pub fn run(self) -> Result<(), Problem> {
        if self.json {
            return print_json(&CONTROLS.iter().map(describe).collect::<Vec<_>>());
        }
        let rows: Vec<[String; 3]> = CONTROLS
            .iter()
            .map(|c| [c.id.to_owned(), values(c), c.format(c.default_value())])
            .collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let [id, range, default] = [0, 1, 2].map(|column| width(column).unwrap_or(0));
        let mut text = String::new();
        let mut group = "";
        for (control, row) in CONTROLS.iter().zip(&rows) {
            if control.group != group {
                group = control.group;
                text += &format!("{}{group}\n", if text.is_empty() { "" } else { "\n" });
            }
            text += &format!(
                "  {:id$}  {:range$}  {:default$}  {}\n",
                row[0], row[1], row[2], control.help
            );
        }
        print(&text)
    }
}

/// The values as a reader writes them.
fn values(control: &Control) -> String {
    match control.values {
        Values::Number { min, max, unit, .. } => {
            format!("{min} to {max} {unit}").trim_end().to_owned()
        }
        Values::Choice { names, .. } => names.join(", "),
        Values::Switch { .. } => "off, on".to_owned(),
    }
}

/// One element of the array that `--json` prints: `id`, `name`, `group`, `help`, `type` ("number",
/// "choice" or "switch") and `default` for all; for numbers `min`, `max`, `unit` ("" for none),
/// `decimals`, `scale` ("linear" or "logarithmic"), `silent_at_min` and `note` (a MIDI note number); for choices `values`, the names.
fn describe(control: &Control) -> Value {
    let mut entry = json!({
        "id": control.id,
        "name": control.name,
        "group": control.group,
        "help": control.help,
    });
    let values = match control.values {
        Values::Number {
            min,
            max,
            default,
            decimals,
            unit,
            scale,
            floor_is_silence,
            is_note,
        } => json!({
            "type": "number",
            "default": default,
            "min": min,
            "max": max,
            "unit": unit,
            "decimals": decimals,
            "scale": match scale {
                Scale::Linear => "linear",
                Scale::Logarithmic => "logarithmic",
            },
            "silent_at_min": floor_is_silence,
            "note": is_note,
        }),
        Values::Choice { names, default } => json!({
            "type": "choice",
            "default": names[default],
            "values": names,
        }),
        Values::Switch { default } => json!({ "type": "switch", "default": default }),
    };
    if let (Value::Object(entry), Value::Object(values)) = (&mut entry, values) {
        entry.extend(values);
    }
    entry
}
