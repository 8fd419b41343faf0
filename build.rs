//! Builds the pages of `web/` with npm and lays them, compressed, into the binary.
//!
//! `src/http/pages.rs` includes the table that this writes, `OUT_DIR/pages.rs`. The sources are copied to `OUT_DIR/web`
//! and built there: a build script may not write into the source tree, where two builds could meet.
//!
//! Node.js is wanted, not needed. Without npm, or when npm fails, the table is empty, one warning says why, and the
//! server says at `/graphiql` that the page is missing. The variable `BANYAN_WEB` decides otherwise:
//!
//! | `BANYAN_WEB` | |
//! | --- | --- |
//! | unset, `auto` | build the pages if it can be done |
//! | `require` | build the pages or fail (what CI and releases set) |
//! | `skip` | leave the pages out, without a word: the quickest way to work on the server |

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    ffi::OsStr,
    fmt::Write as _,
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use flate2::{Compression, write::GzEncoder};

/// What the pages are made of, below `web/`. Nothing else, so that other edits do not run npm again.
const INPUTS: [&str; 6] = ["package.json", "package-lock.json", ".npmrc", "build.mjs", "tsconfig.json", "src"];

/// npm's own name for itself, which Windows wants in full.
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// Installs exactly what the lockfile names, without the tools of development, and gives up soon when offline.
const NPM_INSTALL: [&str; 8] = [
    "ci",
    "--omit=dev",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    "--fetch-timeout=60000",
];

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    for input in INPUTS {
        println!("cargo::rerun-if-changed=web/{input}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=BANYAN_WEB");

    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let files = match env::var("BANYAN_WEB").unwrap_or_default().as_str() {
        "" | "auto" => build_pages(&out).unwrap_or_else(|error| {
            println!("cargo::warning=built without the web pages (GraphiQL): {error}");
            BTreeMap::new()
        }),
        "require" => build_pages(&out)?,
        "skip" => BTreeMap::new(),
        other => return Err(format!("BANYAN_WEB is auto, require or skip, not {other:?}").into()),
    };
    write_table(&out, &files)
}

/// Builds the pages below `out` and answers their files by address.
fn build_pages(out: &Path) -> Outcome<BTreeMap<String, PathBuf>> {
    let web = out.join("web");
    if web.exists() {
        fs::remove_dir_all(&web)?;
    }
    fs::create_dir_all(&web)?;
    for input in INPUTS {
        copy(&Path::new("web").join(input), &web.join(input))?;
    }
    let log = out.join("npm.log");
    npm(&web, &NPM_INSTALL, &log)?;
    npm(&web, &["run", "build"], &log)?;

    // Hundreds of megabytes in every target directory, and the next run installs afresh anyway.
    fs::remove_dir_all(web.join("node_modules"))?;
    let mut files = BTreeMap::new();
    list(&web.join("dist"), "", &mut files)?;
    Ok(files)
}

fn copy(from: &Path, to: &Path) -> Outcome {
    if !from.is_dir() {
        fs::copy(from, to).map_err(|error| format!("{}: {error}", from.display()))?;
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Runs npm in `web`; what it prints goes to a log of its own, since cargo shows a build script's words only on failure.
fn npm(web: &Path, arguments: &[&str], log: &Path) -> Outcome {
    let output = File::create(log)?;
    let status = Command::new(NPM)
        .args(arguments)
        .current_dir(web)
        .stdin(Stdio::null())
        .stderr(output.try_clone()?)
        .stdout(output)
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!("`npm {}` failed, see {}", arguments.first().unwrap_or(&""), log.display()).into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err("npm was not found; install Node.js with npm and build again with BANYAN_WEB=require".into())
        }
        Err(error) => Err(format!("npm could not be started: {error}").into()),
    }
}

/// Collects the files below `dir`; `dist` mirrors the addresses, so the path below it is the address.
fn list(dir: &Path, address: &str, files: &mut BTreeMap<String, PathBuf>) -> Outcome {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|name| format!("{} is no UTF-8", name.display()))?;
        let address = format!("{address}/{name}");
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &address, files)?;
        } else {
            files.insert(address, entry.path());
        }
    }
    Ok(())
}

/// Compresses the files and writes the table of them, in the order of their addresses.
fn write_table(out: &Path, files: &BTreeMap<String, PathBuf>) -> Outcome {
    let packed = out.join("pages");
    if packed.exists() {
        fs::remove_dir_all(&packed)?;
    }
    fs::create_dir_all(&packed)?;

    let mut table = String::from("&[\n");
    for (number, (address, source)) in files.iter().enumerate() {
        let bytes = fs::read(source)?;
        let target = packed.join(format!("{number}.gz"));
        compress(&bytes, &target)?;
        writeln!(
            table,
            "    File {{ path: {address:?}, content_type: {:?}, hash: \"{:016x}\", size: {}, gzip: include_bytes!({target:?}) }},",
            content_type(source),
            hash(&bytes),
            bytes.len(),
        )?;
    }
    table.push_str("]\n");
    fs::write(out.join("pages.rs"), table)?;
    Ok(())
}

fn compress(bytes: &[u8], target: &Path) -> Outcome {
    let mut encoder = GzEncoder::new(File::create(target)?, Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()?;
    Ok(())
}

/// A hash for an ETag: it has to change with the content, and nobody gains by a collision.
fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(OsStr::to_str) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ttf") => "font/ttf",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
