//! The `rookery` command.

// The lowest resident memory at thousands of connections.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    rookery::cli::run()
}
