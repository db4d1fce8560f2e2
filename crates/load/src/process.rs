//! What a process and its children have taken of the machine (proc(5)).

use std::collections::HashMap;
use std::fs;

use anyhow::{Context, Result};

/// What a server has used so far, and what it holds now.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Usage {
    /// Seconds of processor time, the kernel's part included; of the children that have ended, too.
    pub(crate) cpu: f64,
    /// Bytes of memory; what is shared with other processes in parts (Pss).
    pub(crate) memory: u64,
}

/// The kernel's unit of processor time in `/proc`: 1/100 s on every Linux (USER_HZ).
const TICKS_PER_SECOND: f64 = 100.0;

/// One process, as its `stat` says.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Stat {
    parent: u32,
    /// User and system time, with that of children that have ended and were waited for.
    ticks: u64,
}

/// The process and everything that descends from it.
pub(crate) fn usage(pid: u32) -> Result<Usage> {
    let all = processes()?;
    all.get(&pid).with_context(|| format!("no process {pid}"))?;
    let mut usage = Usage::default();
    for (member, stat) in &all {
        if descends(&all, *member, pid) {
            usage.cpu += stat.ticks as f64 / TICKS_PER_SECOND;
            // One that has ended in between holds nothing.
            let rollup = fs::read_to_string(format!("/proc/{member}/smaps_rollup")).unwrap_or_default();
            usage.memory += pss(&rollup);
        }
    }
    Ok(usage)
}

fn processes() -> Result<HashMap<u32, Stat>> {
    let mut all = HashMap::new();
    for entry in fs::read_dir("/proc").context("reading /proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        all.extend(parse_stat(&text).map(|stat| (pid, stat)));
    }
    Ok(all)
}

fn descends(all: &HashMap<u32, Stat>, mut pid: u32, ancestor: u32) -> bool {
    // A chain of parents ends at process 0; the bound is for pids that were given out again meanwhile.
    for _ in 0..64 {
        if pid == ancestor {
            return true;
        }
        match all.get(&pid) {
            Some(stat) => pid = stat.parent,
            None => return false,
        }
    }
    false
}

/// proc_pid_stat(5): fields 4 (ppid) and 14 to 17 (utime, stime, cutime, cstime). The name before them may hold anything.
fn parse_stat(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text[text.rfind(')')? + 1..].split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3).and_then(|text| text.parse::<u64>().ok());
    let ticks = number(14)? + number(15)? + number(16)? + number(17)?;
    Some(Stat { parent: number(4)? as u32, ticks })
}

/// Bytes after `Pss:`.
fn pss(rollup: &str) -> u64 {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kilobytes =
        line.and_then(|rest| rest.trim().strip_suffix("kB")).and_then(|kb| kb.trim().parse().ok());
    kilobytes.unwrap_or(0u64) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_the_fields_after_it() {
        let text = "42 (a b) 1 2) S 7 42 42 0 -1 4194304 10 20 0 0 11 22 33 44 20 0 1 0 100 1000 10";
        assert_eq!(parse_stat(text), Some(Stat { parent: 7, ticks: 110 }));
        assert_eq!(parse_stat("42 (cat"), None);
    }

    #[test]
    fn memory_is_the_line_of_its_own() {
        assert_eq!(pss("Rss:  10 kB\nPss:      1234 kB\nPss_Dirty: 3 kB\n"), 1234 * 1024);
        assert_eq!(pss(""), 0);
    }

    #[test]
    fn this_process_has_used_something() {
        let usage = usage(std::process::id()).expect("it runs");
        assert!(usage.memory > 0);
        assert!(super::usage(u32::MAX).is_err());
    }
}
