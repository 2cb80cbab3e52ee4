//! Tests about the repository: the header, the names, what is exported, what is documented.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use super::support::{command, target_dir};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn header() -> String {
    std::fs::read_to_string(root().join("include/im_client.h")).expect("the header is there")
}

fn run(mut line: Command) -> String {
    // cargo's path for libraries comes before the one that a program was linked with.
    line.current_dir(root()).env_remove("LD_LIBRARY_PATH");
    let shown = format!("{line:?}");
    let output = command(line, 120);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}\n{stderr}");
    assert!(stderr.is_empty(), "{shown} warns:\n{stderr}");
    String::from_utf8(output.stdout).expect("text")
}

/// Where cargo has just built the library for these tests; the copies beside it are of the last `cargo build`.
fn library_dir() -> PathBuf {
    target_dir().join("deps")
}

fn tool(name: &str, arguments: &[&str]) -> Command {
    let mut line = Command::new(name);
    line.args(arguments);
    line
}

/// A folder with a C file in it, gone with the test.
fn source(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join(name);
    std::fs::write(&file, text).expect("it can be written");
    (folder, file)
}

#[test]
fn the_committed_header_is_the_one_that_the_build_makes() {
    let made =
        std::fs::read_to_string(Path::new(env!("OUT_DIR")).join("im_client.h")).expect("build.rs wrote it");
    assert!(made == header(), "include/im_client.h is not what src/ffi makes: run `make header`");
    let read = |path: &Path| std::fs::read_to_string(path).expect("it is there");
    let made = read(&Path::new(env!("OUT_DIR")).join("abi.json"));
    assert!(made == read(&root().join("bindings/abi.json")), "bindings/abi.json is stale: run `make header`");
}

/// A package that names its version by hand names the library's.
#[test]
fn the_packages_have_the_librarys_version() {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    for (file, line) in [
        ("bindings/kotlin/pom.xml", format!("<version>{VERSION}</version>")),
        ("bindings/kotlin/README.md", format!("<version>{VERSION}</version>")),
        ("bindings/kotlin/README.md", format!("im.client:im-client:{VERSION}\"")),
        ("examples/kotlin/pom.xml", format!("<version>{VERSION}</version>")),
        ("bindings/swift/Makefile", format!("Version: {VERSION}\\n")),
        ("bindings/c/README.md", format!("lib/libim_client.so.{VERSION}`")),
    ] {
        let text = std::fs::read_to_string(root().join(file)).expect("it is there");
        assert!(text.contains(&line), "{file} lacks {line}");
    }
}

/// Promise 13: no warning in any standard, alone and included twice.
#[test]
fn the_header_compiles_without_a_warning_in_every_standard() {
    let both = "#include <im_client.h>\n#include <im_client.h>\n";
    const WARNINGS: [&str; 6] = ["-Wall", "-Wextra", "-Wpedantic", "-Wundef", "-Wshadow", "-Werror"];
    // gcc 12 and clang 14 call C23 by its working name.
    let c = ["c99", "c11", "c17", "c2x"];
    let cpp = ["c++11", "c++14", "c++17", "c++20"];
    for compiler in ["gcc", "g++", "clang", "clang++"] {
        if compiler.starts_with("clang") && !installed(compiler) {
            continue;
        }
        let (standards, name, more) = match compiler.ends_with("++") {
            true => (cpp, "probe.cpp", None),
            false => (c, "probe.c", Some("-Wstrict-prototypes")),
        };
        for standard in standards {
            for text in ["#include <im_client.h>\n", both] {
                let (_folder, file) = source(name, text);
                let standard = format!("-std={standard}");
                let mut compile = tool(compiler, &[&standard, "-fsyntax-only", "-I", "include"]);
                compile.args(WARNINGS).args(more).arg(file);
                run(compile);
            }
        }
    }
}

fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// The names of `#define`s with a prefix whose value is a number.
fn numbers(header: &str, prefix: &str) -> Vec<String> {
    let macros = header.lines().filter_map(|line| line.strip_prefix("#define "));
    let named = macros
        .filter_map(|line| line.split_once(' '))
        .filter(|(name, value)| name.starts_with(prefix) && !value.starts_with('"'));
    named.map(|(name, _)| name.to_owned()).collect()
}

/// A program that says which of a header's values is not the library's.
fn values_program(header: &str) -> String {
    let statuses: Vec<String> = ["IM_OK", "IM_DEFERRED", "IM_WOKEN"]
        .map(String::from)
        .into_iter()
        .chain(numbers(header, "IM_ERROR_"))
        .collect();
    assert!(statuses.len() >= 19, "{statuses:?}");
    let checks: String = statuses
        .iter()
        .map(|name| format!("    CHECK(strcmp(im_status_name({name}), \"{name}\") == 0, \"{name}\");\n"))
        .collect();
    format!(
        "#include <im_client.h>\n#include <stdio.h>\n#include <string.h>\n\
         #define CHECK(equal, what) if (!(equal)) return fprintf(stderr, \"not equal: %s\\n\", what)\n\
         int main(void) {{\n{checks}\
         \x20   CHECK(im_version_number() == IM_VERSION_NUMBER, \"version\");\n\
         \x20   CHECK(im_version_check(IM_VERSION_NUMBER) == IM_OK, \"check\");\n\
         \x20   CHECK(im_version_check(IM_VERSION_NUMBER + 1) == IM_OK, \"a later patch\");\n\
         \x20   CHECK(im_version_check(IM_VERSION_NUMBER + 100) == IM_ERROR_VERSION, \"a later minor\");\n\
         \x20   CHECK(im_version_check(10000) == IM_ERROR_VERSION, \"another major\");\n\
         \x20   CHECK(strstr(im_last_error(), \"1.0.0\") != NULL, \"no words\");\n\
         \x20   char text[32];\n    snprintf(text, sizeof text, \"%d.%d.%d\", IM_VERSION_MAJOR, IM_VERSION_MINOR, IM_VERSION_PATCH);\n\
         \x20   CHECK(strcmp(text, im_version_string()) == 0, \"version text\");\n\
         \x20   return puts(\"equal\") < 0;\n}}\n"
    )
}

/// The header's macros against what the library itself says.
fn compare_values(header: &str) {
    let (folder, file) = source("values.c", &values_program(header));
    std::fs::write(folder.path().join("im_client.h"), header).expect("it can be written");
    let link = shared_library(folder.path());
    assert_eq!(run_c(folder.path(), &file, folder.path(), &link), "equal\n");
}

#[test]
fn the_headers_values_are_the_librarys() {
    compare_values(&header());
}

#[test]
#[should_panic(expected = "not equal: IM_ERROR_HANDLE")]
fn a_wrong_value_of_a_status_is_found() {
    compare_values(&planted("#define IM_ERROR_HANDLE (-2)", "#define IM_ERROR_HANDLE (-99)"));
}

#[test]
#[should_panic(expected = "not equal: version")]
fn a_wrong_version_in_the_header_is_found() {
    compare_values(&planted("#define IM_VERSION_NUMBER ", "#define IM_VERSION_NUMBER 7 + "));
}

/// The header with a fault.
fn planted(old: &str, new: &str) -> String {
    let header = header();
    assert_eq!(header.matches(old).count(), 1, "{old}");
    header.replace(old, new)
}

/// Arguments that link against the shared library, which is found under its SONAME.
fn shared_library(folder: &Path) -> Vec<String> {
    for name in ["libim_client.so", "libim_client.so.0"] {
        let built = library_dir().join("libim_client.so");
        std::os::unix::fs::symlink(built, folder.join(name)).expect("a link can be made");
    }
    let folder = folder.display();
    vec![format!("-L{folder}"), "-lim_client".into(), format!("-Wl,-rpath,{folder}")]
}

fn run_c(folder: &Path, file: &Path, include: &Path, link: &[String]) -> String {
    let program = folder.join("program");
    let mut compile = tool("cc", &["-std=c99", "-Wall", "-Wextra", "-Werror", "-I"]);
    compile.arg(include).arg("-o").arg(&program).arg(file).args(link);
    run(compile);
    run(Command::new(program))
}

/// The functions that the header declares.
fn declared() -> BTreeSet<String> {
    declared_in(&header())
}

fn declared_in(header: &str) -> BTreeSet<String> {
    let starts = header.lines().filter(|line| line.contains('(') && !line.starts_with([' ', '#', '/', '}']));
    let functions = starts.filter(|line| !line.starts_with("typedef"));
    let name = |line: &str| {
        let before = line.split('(').next().unwrap_or_default();
        before.rsplit([' ', '*']).next().unwrap_or_default().to_owned()
    };
    functions.map(name).collect()
}

fn exported(arguments: &[&str], library: &Path) -> BTreeSet<String> {
    let mut nm = tool("nm", &["--defined-only"]);
    nm.args(arguments).arg(library);
    let symbols = run(nm);
    symbols.lines().filter_map(|line| line.split_whitespace().nth(2)).map(str::to_owned).collect()
}

/// Promise 13: only `im_` names, and just those of the header.
#[test]
fn the_shared_library_exports_what_the_header_declares_and_nothing_else() {
    let declared = declared();
    assert!(declared.len() > 35, "{declared:?}");
    assert_eq!(exported(&["-D"], &library_dir().join("libim_client.so")), declared);
}

#[test]
fn the_static_library_has_the_same_global_names_and_links() {
    let (folder, file) = source(
        "version.c",
        "#include <im_client.h>\n#include <stdio.h>\nint main(void) {\n\
         im_client client = im_client_new(\"{\\\"root\\\":\\\"http://127.0.0.1:1\\\",\\\"nsp\\\":\\\"chat\\\"}\");\n\
         if (client == 0 || im_client_destroy(client) != IM_OK) return puts(im_last_error());\n\
         return puts(im_version_string()) < 0;\n}\n",
    );
    let library = folder.path().join("libim_client-static.a");
    let mut make = tool("tools/static_lib.sh", &[]);
    make.arg(library_dir()).arg(&library);
    run(make);
    assert_eq!(exported(&["-g"], &library), declared());
    let link = [library.display().to_string(), "-lpthread".into(), "-lm".into(), "-ldl".into()];
    assert_eq!(
        run_c(folder.path(), &file, Path::new("include"), &link),
        format!("{}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn the_shared_library_has_its_soname_and_is_never_unloaded() {
    let mut readelf = tool("readelf", &["--dynamic", "--wide"]);
    readelf.arg(library_dir().join("libim_client.so"));
    let dynamic = run(readelf);
    assert!(dynamic.contains("[libim_client.so.0]"), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

/// The lines of a header that declare a function, a type or a macro without a comment directly before (macros of a group share
/// one).
fn undocumented(header: &str) -> Vec<&str> {
    let declared = declared_in(header);
    let lines: Vec<&str> = header.lines().collect();
    let function = |line: &str| {
        !line.starts_with([' ', '/', '#']) && declared.iter().any(|name| line.contains(&format!("{name}(")))
    };
    let functions = lines.iter().filter(|line| function(line)).count();
    assert_eq!(functions, declared.len(), "every declaration was looked at");
    let is_bare = |(at, line): (usize, &&str)| {
        let before = lines[at.saturating_sub(1)];
        let commented = before.trim_end().ends_with("*/");
        let of_a_macro = line.starts_with("#define IM_") && *line != "#define IM_CLIENT_H";
        let bare_macro = of_a_macro && !commented && !before.starts_with("#define");
        bare_macro || (function(line) || line.starts_with("typedef")) && !commented
    };
    lines.iter().enumerate().filter(|(at, line)| is_bare((*at, line))).map(|(_, line)| *line).collect()
}

#[test]
fn everything_in_the_header_is_documented() {
    assert_eq!(undocumented(&header()), [""; 0]);
}

#[test]
fn what_is_undocumented_is_found() {
    for line in
        ["#define IM_ERROR_MOOD -99", "int32_t im_client_mood(im_client client);", "typedef int32_t im_mood;"]
    {
        let header = format!("{}\n\n{line}\n", header());
        assert_eq!(undocumented(&header), [line]);
    }
}

/// The product never sees OpenSSL, which rust_socketio, the peer, needs.
#[test]
fn the_products_dependencies_have_no_openssl() {
    let tree = run_cargo(&[
        "tree",
        "-p",
        "im-client",
        "-e",
        "normal,build",
        "--prefix",
        "none",
        "--offline",
        "--locked",
    ]);
    assert!(tree.contains("rustls "), "{tree}");
    for unwanted in ["openssl v", "openssl-sys", "native-tls", "aws-lc", "rust_socketio"] {
        assert!(!tree.contains(unwanted), "{unwanted} is in the product's tree");
    }
}

fn run_cargo(arguments: &[&str]) -> String {
    let mut cargo = tool(env!("CARGO"), arguments);
    cargo.current_dir(root());
    let output = command(cargo, 60);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Every dependency of the library has a reason in the documentation, and no other has.
#[test]
fn every_dependency_is_in_the_documentation() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).expect("it is there");
    let manifest = read("Cargo.toml");
    let mut wanted = BTreeSet::new();
    let mut is_in_library = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_in_library =
                line.ends_with("dependencies]") && !line.contains("dev-") && !line.contains("build-");
        } else if let (true, Some((name, _))) = (is_in_library, line.split_once(" = ")) {
            wanted.insert(name.to_owned());
        }
    }
    assert!(wanted.contains("tokio") && wanted.contains("jni"), "{wanted:?}");
    let page = read("docs/dependencies.md");
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| crate"));
    let names: BTreeSet<String> =
        rows.filter_map(|row| row.split('|').nth(1)).map(|name| name.trim().to_owned()).collect();
    assert_eq!(names, wanted);
}
