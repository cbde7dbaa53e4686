//! What tables and pictures show besides events and handlers: services, observers, what is borrowed, and names of any kind.

use std::sync::Arc;

use mediator_core::prelude::*;

#[event(name = "order \"placed\" <b>|x|</b>; end\n%% \u{202e} [y](z)")]
struct Odd;

struct Journal;

#[service]
struct Lines;

#[service]
fn url(_lines: Arc<Lines>) -> u64 {
    1
}

#[event_handler(name = "a]\" --> b{{c}}\\")]
async fn write(_event: &Odd, _journal: &mut Journal, _limit: Option<&u8>, _url: u64) {}

#[event_handler]
fn watch(_event: &dyn DynNotification) {}

fn mediator() -> Mediator {
    Mediator::builder().discover_where(|registration| registration.module_path() == module_path!()).build().unwrap()
}

#[track_caller]
fn assert_shows(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "prints what all of the program declares")]
fn the_table_has_services_observers_and_borrows() {
    let table = mediator().topology().to_string();
    let rows = [
        "order \"placed\" <b>|x|</b>; end\\n%% \\u{202e} [y](z) = pictures::Odd",
        "pictures::watch (observer)",
        "u64 from behavior, &mut Journal, Option<&u8>",
        "service Arc<Lines> = pictures::Lines",
        "service u64 = pictures::url",
    ];
    assert_shows(&table, &rows);
    assert!(!table.contains('\u{202e}'), "a name cannot turn the text around");
}

#[test]
#[cfg_attr(miri, ignore = "prints what all of the program declares")]
fn the_flowchart_has_them_too() {
    let flowchart = mediator().topology().to_mermaid();
    let parts = [
        "([\"order #34;placed#34; #60;b#62;|x|#60;/b#62;; end#92;n%% #92;u{202e} [y](z)\"])",
        "[\"a]#34; --#62; b{{c}}#92;<br/>#38;mut Journal<br/>Option#60;#38;u8#62;\"]",
        "{{\"watch<br/>every event\"}}",
        "[(\"Lines\")]",
        "[(\"url\")]",
    ];
    assert_shows(&flowchart, &parts);
    assert_eq!(flowchart.matches(" -.-> ").count(), 2, "from the handler to one service, and from that to the other");
    assert!(flowchart.lines().all(|line| !line.starts_with("%%")), "a name cannot begin a line");
}

#[test]
#[cfg_attr(miri, ignore = "prints what all of the program declares")]
fn so_has_the_graph() {
    let graph = mediator().topology().to_dot();
    let parts = [
        "label=\"order \\\"placed\\\" <b>|x|</b>; end\\\\n%% \\\\u{202e} [y](z)\"",
        "label=\"a]\\\" --> b{{c}}\\\\\\n&mut Journal\\nOption<&u8>\"",
        "shape=hexagon",
        "shape=cylinder",
        "[style=dotted]",
    ];
    assert_shows(&graph, &parts);
}

#[test]
#[cfg_attr(miri, ignore = "prints what all of the program declares")]
fn so_has_the_data() {
    let data = serde_json::to_value(mediator().topology()).unwrap();
    assert_eq!(data["version"], 2);
    let events = data["events"].as_array().unwrap();
    let odd = events.iter().find(|event| event["type"] == "behavior::pictures::Odd").unwrap();
    let [watch, write] = odd["handlers"].as_array().unwrap().as_slice() else { panic!("{odd}") };
    let write = if write["borrows"].as_array().unwrap().is_empty() { watch } else { write };
    assert_eq!(write["borrows"][0]["type"], "behavior::pictures::Journal");
    assert_eq!((&write["borrows"][0]["exclusive"], &write["borrows"][1]["optional"]), (&true.into(), &true.into()));
    assert_eq!(write["services"][0]["provided_by"], "behavior::pictures::url");
    let services: Vec<_> = data["services"].as_array().unwrap().iter().map(|service| &service["name"]).collect();
    assert_eq!(services, ["behavior::pictures::Lines", "behavior::pictures::url"]);
    assert_eq!(data["services"][1]["services"][0]["provided_by"], "behavior::pictures::Lines");
}
