//! End-to-end suites: the built binary over HTTP, and the rules that hold for the whole workspace.
//! One binary, so that it links once; `every_suite_file_is_a_module` sees to it that no file is forgotten.

mod audits;
mod bad_input;
mod documents;
mod listen;
mod memory;
mod old_data;
mod remote;
mod routes;
mod secrets;
mod tenancy;
mod tuning;
mod walls;

#[path = "../deliveries/checks.rs"]
mod checks;
#[path = "../deliveries/receiver.rs"]
mod receiver;
#[path = "../harness/server.rs"]
mod server;

#[test]
fn every_suite_file_is_a_module() {
    let source = include_str!("main.rs");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite")).expect("the suite's folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        let module = name.strip_suffix(".rs").expect("only Rust files stand here");
        assert!(
            module == "main" || source.contains(&format!("mod {module};")),
            "{name} is not a module of the suite"
        );
    }
}
