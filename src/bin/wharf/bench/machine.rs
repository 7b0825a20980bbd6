//! On what was measured: numbers without their machine say little.
#![forbid(unsafe_code)]

use std::fs;

/// A sentence for each fact.
pub(super) fn facts(erlang: Option<&str>) -> Vec<String> {
    let mut facts = vec![format!("wharf {}", env!("CARGO_PKG_VERSION"))];
    facts.extend(erlang.map(str::to_owned));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = first_line("/proc/cpuinfo", "model name");
    let model = model.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    facts.push(format!("{cores} cores, {model}"));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease");
    facts.extend(kernel.map(|kernel| format!("Linux {}", kernel.trim())));
    facts.extend(busy(cores));
    facts
}

/// A warning, where others use the machine as well.
#[allow(clippy::cast_precision_loss)] // nobody has that many cores
fn busy(cores: usize) -> Option<String> {
    let told = fs::read_to_string("/proc/loadavg").ok()?;
    let load: f64 = told.split_whitespace().next()?.parse().ok()?;
    (load > 0.5 * cores as f64).then(|| {
        format!("others use this machine, too (load {load}): only ratios of one run say something")
    })
}

/// What stands behind the colon of the first line that begins so.
fn first_line(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
