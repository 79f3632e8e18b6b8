//! A node in Faust as the source of an external for Max/MSP, by the architecture that comes with Faust.

use super::child::{self, End};
use super::compile::{FAUST, LIMITS, ZEITGEBER_LIB};
use super::{Job, LiveError, Original, Reach, Source, Workshop};
use crate::node::NodeInfo;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// Faust's architecture for externals of 64 bits.
const ARCHITECTURE: &str = "max-msp/max-msp64.cpp";

impl Workshop {
    /// The C++ source of a Max/MSP external of a node in Faust, which needs nothing but the Max SDK. `info` is what the
    /// node was found to be.
    ///
    /// # Errors
    /// [`LiveError`]: also where Faust came without its architecture for Max.
    pub fn export_max(&self, file: &Path, info: &NodeInfo) -> Result<String, LiveError> {
        let source = Source {
            file: crate::file::plain(file)
                .and_then(|_| fs::canonicalize(file))
                .map_err(|error| LiveError::read(file, error))?,
            shown: file.to_owned(),
            name: super::compile::node_name(file),
            stop: self.stop.clone(),
        };
        if !source.is_faust() {
            return Err(LiveError::Refused {
                file: file.to_owned(),
                problem: "only nodes in Faust (.dsp) can be exported to Max".to_owned(),
            });
        }
        // What may not be compiled is refused.
        Original::read(file, Reach::Anywhere)?;
        let job = Job::new(&self.folder)?;
        for (name, text) in super::compile::SUPPORT {
            let text = if name == ZEITGEBER_LIB {
                alone(text, info)
            } else {
                text.to_owned()
            };
            let path = job.0.join(name);
            fs::write(&path, text).map_err(|error| LiveError::folder(&path, error))?;
        }
        let made = job.0.join("external.cpp");
        let structure = format!("faust_{}", source.name);
        // -i: with all that the architecture includes; -uim: with the names that it goes by.
        let options = [
            "-lang",
            "cpp",
            "-double",
            "-i",
            "-uim",
            "-t",
            "0",
            "-a",
            ARCHITECTURE,
        ];
        let mut args: Vec<OsString> = options.map(OsString::from).to_vec();
        args.extend([
            "-cn".into(),
            structure.into(),
            "-I".into(),
            job.0.clone().into(),
        ]);
        args.extend(["-o".into(), made.clone().into(), source.file.clone().into()]);
        // Beside the file, where its own libraries are.
        let folder = source.file.parent().unwrap_or(Path::new("."));
        let log = job.0.join("log");
        let (end, said) = child::run(&"faust".into(), &args, folder, &log, LIMITS, &source.stop)
            .map_err(|error| LiveError::folder(&job.0, error))?;
        let shown = || file.to_owned();
        match end {
            End::Code(0) => {}
            End::Missing => {
                return Err(LiveError::Missing {
                    file: shown(),
                    tool: FAUST,
                });
            }
            End::Code(_) if said.contains("max-msp64.cpp") => {
                return Err(LiveError::Missing {
                    file: shown(),
                    tool: "Faust's architecture max-msp/max-msp64.cpp, which this Faust came without: install all of Faust",
                });
            }
            End::Code(_) => return Err(super::compile::faust_error(&source, &said)),
            End::Stopped => return Err(LiveError::Stopped { file: shown() }),
            End::Signal(_) | End::Late => {
                let what = "did not end well when it was asked for an external".to_owned();
                return Err(LiveError::Gave {
                    file: shown(),
                    what,
                });
            }
        }
        let text = fs::read_to_string(&made).map_err(|error| LiveError::folder(&made, error))?;
        // Faust writes down its whole command, with folders of this machine that say nothing elsewhere.
        let here = job.0.display().to_string();
        Ok(text.replace(&here, "."))
    }
}

/// zeitgeber.lib for a node that no engine drives: the sample rate is Max's, and each phase input a parameter in hertz.
fn alone(library: &str, info: &NodeInfo) -> String {
    let mut text = String::new();
    let mut within = false;
    for line in library.lines() {
        if line.starts_with("SR = ") {
            text += "SR = fconstant(int fSamplingFreq, <math.h>);\n";
            continue;
        }
        if line.starts_with("increment(i) = ") {
            text += "increment(i) = driven(i) / SR;\n";
            within = true;
        }
        if line.starts_with("phase(i) = ") {
            text += "phase(i) = (+(driven(i) / SR) : \\(x).(x - floor(x))) ~ _ : mem;\n";
            for (index, phase) in info.phases.iter().enumerate() {
                let (name, hertz) = (&phase.name, phase.frequency);
                text += &format!(
                    "driven({index}) = hslider(\"{name}[unit:Hz]\", {hertz:?}, 0, {:?}, 0.0001);\n",
                    hertz.max(20_000.0)
                );
            }
            text += "driven(i) = 0;\n";
            within = true;
        }
        if !within {
            text += line;
            text.push('\n');
        }
        // What belongs to the definition ends with the first "};".
        within &= line != "};";
    }
    text
}
