//! Ardour's window with ours in it, on a screen of its own: what is dragged, turned and typed there is recorded.
//!
//! promise: in Ardour's own window, a drag, a turn of the wheel and a typed value are recorded as automation, from press to release
//!
//! Only with `ZEITGEBER_LONG=1`: it takes half a minute. `check_recording.py` does the work.

use crate::ardour::{Ardour, program};
use crate::library::{on_path, run, skipped};
use std::path::Path;
use std::time::Duration;

/// Lanes that wait for a hand.
const ARMED: &str = r#"
set("Space", 1)
local function arm(name, state)
  local parameter = Evoral.Parameter(ARDOUR.AutomationType.PluginAutomation, 0, ids[name])
  insert:to_automatable():automation_control(parameter, true):set_automation_state(state)
end
arm("Beat", ARDOUR.AutoState.Touch)
arm("Azimuth", ARDOUR.AutoState.Touch)
arm("Distance", ARDOUR.AutoState.Touch)
arm("Carrier", ARDOUR.AutoState.Latch)
"#;

#[test]
fn what_is_dragged_in_the_editor_is_recorded() {
    let name = "ardour, recording";
    if std::env::var_os("ZEITGEBER_LONG").is_none() {
        skipped(
            name,
            "it takes half a minute, and runs where ZEITGEBER_LONG=1 is set",
        );
        return;
    }
    for program in ["ardour", "Xvfb", "xdotool", "python3"] {
        if on_path(program).is_none() {
            skipped(name, &format!("{program} is not on the PATH"));
            return;
        }
    }
    let Some(ardour) = Ardour::find(name) else {
        return;
    };
    let program = program();
    ardour.session("drag", [1, 2], ARMED, &[program.clone(), program]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts/check_recording.py");
    let mut command = ardour.command("python3");
    command.arg("-B").arg(script).arg(ardour.path("drag"));
    let output = run(&mut command, Duration::from_secs(180));
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}");
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
