//! What the parts of a message's way cost, without a network: `make bench-micro`.

mod abi;
mod codec;
mod dispatch;

fn main() {
    divan::main();
}

/// What an IM server sends, 338 bytes: the one argument of its `c_message`.
fn envelope() -> &'static str {
    include_str!("../load/src/envelope.json").trim_end()
}

/// What a client sends, 265 bytes: the one argument of its `to`.
fn message() -> &'static str {
    include_str!("../drivers/message.json").trim_end()
}
