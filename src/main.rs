//! The command line: serve, migrate, import, rebuild, verify, keys, schema.

use std::{io::IsTerminal, process::ExitCode};

use banyan::{
    app::Fatal,
    commands,
    config::{Cli, LogFormat, Options},
};
use clap::Parser;
use tracing_subscriber::EnvFilter;

/// Gives memory back to the system within seconds. What thousands of connections took, glibc keeps for good.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Stack of a thread of the runtime: deep queries of large schemas overflow the usual 2 MiB in debug builds.
const THREAD_STACK_BYTES: usize = 8 * 1024 * 1024;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let run = || -> Result<(), Fatal> {
        start_log(&cli.options)?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().thread_stack_size(THREAD_STACK_BYTES).enable_all().build()?;
        commands::run(cli, &runtime)
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("banyan: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Logs go to standard error, so that what commands print can be piped.
fn start_log(options: &Options) -> Result<(), Fatal> {
    let filter = EnvFilter::try_new(options.log_directives()).map_err(|error| format!("LOG: {error}"))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match options.log_format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}
