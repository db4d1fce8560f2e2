//! `cargo xtask fuzz`: coverage-guided fuzzing of the protocol crate, on the stable toolchain.
//!
//! The targets are libFuzzer's (crate libfuzzer-sys, which wants a C++ compiler). What cargo-fuzz adds on a
//! nightly toolchain is the address sanitizer; the protocol crate has no unsafe code, so the coverage
//! instrumentation alone is what counts, and stable rustc has it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::shell;

/// The crate of the targets, outside of the workspace: its flags would rebuild everything else.
const CRATE: &str = "crates/proto/fuzz";

/// Instruments every edge and comparison. `fuzzing` is the cfg that libfuzzer-sys and others look for.
const RUSTFLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 -Cdebug-assertions \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

#[derive(Args)]
pub(crate) struct FuzzArgs {
    /// The target; all of them, one after the other, if none is named
    target: Option<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

pub(crate) fn run(args: FuzzArgs) -> Result<()> {
    let known = targets()?;
    let chosen = match args.target {
        Some(target) if known.contains(&target) => vec![target],
        Some(target) => bail!("no target {target}; there are: {}", known.join(", ")),
        None => known,
    };
    if !["c++", "g++", "clang++"].iter().any(|compiler| shell::on_path(compiler)) {
        bail!("libFuzzer is built from its C++ source: install a C++ compiler (Debian: g++)");
    }
    let triple = host()?;
    let out = shell::target_dir().join("fuzz");
    for target in chosen {
        println!("\n=== {target}: {} s", args.seconds);
        build(&target, &triple, &out)?;
        fuzz(&target, &out.join(&triple).join("release").join(&target), &out, args.seconds)?;
    }
    Ok(())
}

/// The targets' names: the files in `fuzz_targets`.
fn targets() -> Result<Vec<String>> {
    let folder = shell::root().join(CRATE).join("fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if let (Some(stem), true) =
            (path.file_stem(), path.extension().is_some_and(|extension| extension == "rs"))
        {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Naming the target keeps the flags away from build scripts and macros.
fn host() -> Result<String> {
    let output = shell::command("rustc").arg("-vV").output().context("asking rustc for its host")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).context("rustc -vV names no host")
}

fn build(target: &str, triple: &str, out: &Path) -> Result<()> {
    let mut cargo = shell::cargo(["build", "--release", "--bin", target, "--target", triple]);
    cargo.arg("--manifest-path").arg(shell::root().join(CRATE).join("Cargo.toml"));
    cargo.arg("--target-dir").arg(out).env("RUSTFLAGS", RUSTFLAGS);
    shell::run(&mut cargo)
}

/// New inputs go to `target/fuzz/corpus`; the committed corpus is only read.
fn fuzz(target: &str, program: &Path, out: &Path, seconds: u64) -> Result<()> {
    let folder = |kind: &str| -> Result<PathBuf> {
        let path = out.join(kind).join(target);
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(path)
    };
    let mut run = shell::command(program);
    run.arg(folder("corpus")?);
    let seeds = shell::root().join(CRATE).join("corpus").join(target);
    if seeds.is_dir() {
        run.arg(seeds);
    }
    let artifacts = folder("artifacts")?;
    run.arg(format!("-artifact_prefix={}/", artifacts.display()));
    run.args([format!("-max_total_time={seconds}"), "-timeout=5".into(), "-use_value_profile=1".into()]);
    shell::run(&mut run).with_context(|| format!("the failing input lies in {}", artifacts.display()))
}
