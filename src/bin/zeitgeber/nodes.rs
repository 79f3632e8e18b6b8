//! `zeitgeber nodes`: every built-in node with its channels and parameters.

use crate::args::Problem;
use crate::{print, print_json};
use zeitgeber::node::{Group, NodeInfo, ParamInfo, ParamKind, registry};

/// List every node with its channels, phase inputs and parameters
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    zeitgeber nodes\n  \
    zeitgeber nodes --json")]
pub struct Args {
    /// As JSON: an array of objects with the fields of the library's NodeInfo
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Prints the list, sorted by name. The JSON is an array of what [`NodeInfo`] documents: `name`,
    /// `language`, `help`, `inputs`, `outputs`, `input_groups`, `output_groups`, `latency`, `phases`,
    /// `params`.
    pub fn run(self) -> Result<(), Problem> {
        let infos = registry().infos();
        if self.json {
            return print_json(&infos);
        }
        print(
            &infos
                .into_iter()
                .map(describe)
                .collect::<Vec<_>>()
                .join("\n"),
        )
    }
}

/// A node as a few lines.
pub fn describe(info: &NodeInfo) -> String {
    let mut text = format!("{} ({}): {}\n", info.name, info.language, info.help);
    text += &format!("  in   {}\n", groups(&info.input_groups));
    text += &format!("  out  {}\n", groups(&info.output_groups));
    if info.latency > 0 {
        text += &format!("  late by {} frames\n", info.latency);
    }
    for phase in &info.phases {
        text += &format!(
            "  phase {}, at {} Hz of its own\n",
            phase.name, phase.frequency
        );
    }
    let params: Vec<[String; 2]> = info
        .params
        .iter()
        .map(|param| [param.name.clone(), values(param)])
        .collect();
    let width = |column: usize| {
        params
            .iter()
            .map(|param| param[column].chars().count())
            .max()
    };
    let (name, value) = (width(0).unwrap_or(0), width(1).unwrap_or(0));
    for (row, param) in params.iter().zip(&info.params) {
        text += format!("  {:name$}  {:value$}  {}", row[0], row[1], param.help).trim_end();
        for mover in &param.movers {
            text += &format!(" [{mover}]");
        }
        text.push('\n');
    }
    text
}

/// Channel groups as they are declared.
fn groups(groups: &[Group]) -> String {
    if groups.is_empty() {
        return "nothing".to_owned();
    }
    let named = groups
        .iter()
        .map(|group| format!("{}: {}", group.name, group.format));
    named.collect::<Vec<_>>().join(", ")
}

/// What a parameter takes, and what it is at first.
fn values(param: &ParamInfo) -> String {
    let range = format!("{} to {} {}", param.min, param.max, param.unit);
    match param.kind {
        ParamKind::Number => format!("{} ({})", range.trim_end(), param.default),
        ParamKind::Switch => format!(
            "off, on ({})",
            if param.default >= 0.5 { "on" } else { "off" }
        ),
        ParamKind::Button => "button".to_owned(),
        ParamKind::Readout => format!("reads {}", range.trim_end()),
    }
}
