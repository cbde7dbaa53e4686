//! The shop as its owner sees it.

use std::process::Command;

#[test]
fn a_failing_handler_stops_the_others_only_in_sequence() {
    let output = Command::new(env!("CARGO_BIN_EXE_shop")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (sequential, group) = text.split_once("\n\n").unwrap();

    assert!(output.status.success());
    for part in [sequential, group] {
        assert!(part.contains("mail to ada@example.com: thank you for order 1"), "{part}");
        assert!(part.contains("no mailbox `nobody@nowhere.invalid`"), "{part}");
        assert!(part.contains("examples/shop/notifications/src/customer_mail.rs:"), "{part}");
    }
    assert!(sequential.contains("not run: `shop_analytics::counting::count_sale`"), "{sequential}");
    assert!(sequential.ends_with("sales: 0 cents"), "{sequential}");
    assert!(!group.contains("not run"), "{group}");
    assert!(group.trim_end().ends_with("sales: 3900 cents"), "{group}");
}
