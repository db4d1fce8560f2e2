//! Builds the web messenger (`web/`) and embeds it: a table of its files, each also compressed, that
//! `src/http/messenger/` serves.
//!
//! Node makes the messenger, and the compressed forms too: a build script runs unoptimised, in which the best compression takes
//! minutes. Where Node is not there, the server is built without the messenger, and its page says what is missing.
//!
//! - `ROOKERY_WEB=off`: without the messenger, for quick builds.
//! - `ROOKERY_WEB_DIST=DIR`: with what `npm run build` wrote there before.

use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is built anew when it changes; `node_modules` and what is generated are not among it.
const SOURCES: [&str; 8] = [
    "index.html",
    "package.json",
    "package-lock.json",
    "public",
    "src",
    "svelte.config.js",
    "tsconfig.json",
    "vite.config.ts",
];

/// A copy of the list of packages that were installed, beside them: the next build sees whether it is still that one.
const INSTALLED: &str = "node_modules/.rookery-lock";

/// Lines of a failed command's output that are shown.
const LINES: usize = 12;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build");
    println!("cargo:rerun-if-env-changed=ROOKERY_WEB");
    println!("cargo:rerun-if-env-changed=ROOKERY_WEB_DIST");
    let (files, missing) = match dist() {
        Ok(folder) => (list(&folder)?, String::new()),
        Err(missing) => (Vec::new(), missing),
    };
    fs::write(Path::new(&env::var("OUT_DIR")?).join("messenger.rs"), table(&files, &missing)?)?;
    Ok(())
}

/// The folder with the messenger, or a sentence that says why there is none.
fn dist() -> std::result::Result<PathBuf, String> {
    if env::var_os("ROOKERY_WEB").is_some_and(|value| value == "off") {
        return Err("This server was built without it (ROOKERY_WEB=off).".into());
    }
    let built = match env::var_os("ROOKERY_WEB_DIST") {
        Some(folder) => ready_made(PathBuf::from(folder)),
        None => build(),
    };
    built.map_err(|error| {
        let said = error.to_string();
        said.lines().for_each(|line| println!("cargo:warning={line}"));
        println!("cargo:warning=The server is built without the web messenger.");
        said
    })
}

fn ready_made(folder: PathBuf) -> Result<PathBuf> {
    println!("cargo:rerun-if-changed={}", folder.display());
    match folder.is_absolute() && folder.join("index.html").is_file() {
        true => Ok(folder),
        false => Err(format!(
            "ROOKERY_WEB_DIST={} is not the absolute path of a folder with an index.html.",
            folder.display()
        )
        .into()),
    }
}

/// Has Node build the messenger, below cargo's own folder.
fn build() -> Result<PathBuf> {
    let web = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../web");
    if !web.join("package.json").is_file() {
        return Err("The folder web/ with the messenger's source is not there.".into());
    }
    // A path that is not there would have everything built anew each time.
    for source in SOURCES.map(|name| web.join(name)).iter().filter(|source| source.exists()) {
        println!("cargo:rerun-if-changed={}", source.display());
    }
    for program in ["node", "npm"] {
        if Command::new(program).arg("--version").output().is_err() {
            println!("cargo:rerun-if-env-changed=PATH");
            return Err(format!(
                "The web messenger is built with Node 20.19 or later, and `{program}` is not there. \
                 Install Node with npm, run `touch web/package.json`, and build again."
            )
            .into());
        }
    }
    let out = Path::new(&env::var("OUT_DIR")?).join("web");
    install(&web)?;
    run(npm(&web, &["run", "build"]).env("ROOKERY_WEB_OUT", &out))?;
    run(Command::new("node").arg("build/compress.mjs").arg(&out))?;
    Ok(out)
}

/// Installs the packages that the messenger is built with, unless they are there.
fn install(web: &Path) -> Result<()> {
    let wanted = fs::read(web.join("package-lock.json"))?;
    let stamp = web.join(INSTALLED);
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run(&mut npm(web, &["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    Ok(fs::write(stamp, wanted)?)
}

fn npm(web: &Path, arguments: &[&str]) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(web).args(arguments);
    npm
}

/// Runs a command; the end of what it said is the error.
fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let shown = lines[lines.len().saturating_sub(LINES)..].join("\n");
    let arguments: Vec<_> = command.get_args().map(|part| part.to_string_lossy()).collect();
    let program = command.get_program().to_string_lossy();
    Err(format!("The web messenger could not be built: `{program} {}` failed.\n{shown}", arguments.join(" "))
        .into())
}

/// The messenger's files, by their paths in `folder`. Source maps are for its developers, and hidden files for nobody.
fn list(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let left_out =
                name.starts_with('.') || [".map", ".br", ".gz"].iter().any(|end| name.ends_with(end));
            match path.is_dir() {
                _ if left_out => {}
                true => folders.push(path),
                false => files.push((format!("/{}", path.strip_prefix(folder)?.display()), path)),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The table as source text.
fn table(files: &[(String, PathBuf)], missing: &str) -> Result<String> {
    let mut text = format!("const MISSING: &str = {missing:?};\nconst FILES: &[Embedded] = &[\n");
    for (name, path) in files {
        let include = |path: &Path| format!("include_bytes!({path:?})");
        let packed = |end: &str| {
            let path = PathBuf::from(format!("{}.{end}", path.display()));
            if path.is_file() { format!("Some({})", include(&path)) } else { "None".to_owned() }
        };
        let (brotli, gzip) = (packed("br"), packed("gz"));
        let raw = include(path);
        writeln!(text, "Embedded {{ path: {name:?}, raw: {raw}, brotli: {brotli}, gzip: {gzip} }},")?;
    }
    text.push_str("];\n");
    Ok(text)
}
