//! Reading and writing what is on the wire.

use divan::{black_box, counter::BytesCount, Bencher};
use im_client::internals::{
    engineio::{self, v3, v4, Frame, Packet, Revision},
    Decoder, Envelope, Parser, Scanner,
};

use super::{envelope, message};

/// The text frame of the event that carries the envelope.
fn event_frame() -> String {
    format!("42[\"c_message\",{}]", envelope())
}

#[divan::bench_group]
mod json {
    use super::*;

    fn scan(bencher: Bencher, text: &str) {
        bencher
            .counter(BytesCount::of_str(text))
            .bench_local(|| Scanner::new(black_box(text)).pass_value().expect("valid"));
    }

    #[divan::bench]
    fn scan_envelope(bencher: Bencher) {
        scan(bencher, envelope());
    }

    #[divan::bench]
    fn scan_to(bencher: Bencher) {
        scan(bencher, message());
    }

    #[divan::bench]
    fn read_envelope() {
        Envelope::parse(black_box(envelope())).expect("an envelope");
    }
}

/// The frame of a WebSocket, which both revisions write alike, down to the arguments.
#[divan::bench_group]
mod frame {
    use super::*;

    fn decode(bencher: Bencher, text: &str, revision: Revision) {
        let mut decoder = Decoder::default();
        bencher.counter(BytesCount::of_str(text)).bench_local(|| {
            let Ok(Packet::Message(packet)) = engineio::decode(black_box(text)) else { panic!("no message") };
            let decoded = decoder.text(packet, Some(revision)).expect("valid").expect("whole");
            black_box(decoded.extent)
        });
    }

    #[divan::bench(args = [Revision::V3, Revision::V4])]
    fn decode_event(bencher: Bencher, revision: Revision) {
        decode(bencher, &event_frame(), revision);
    }

    #[divan::bench(args = [Revision::V3, Revision::V4])]
    fn decode_ack(bencher: Bencher, revision: Revision) {
        decode(bencher, "43123456[1]", revision);
    }

    #[divan::bench]
    fn encode_event(bencher: Bencher) {
        let text = message();
        bencher
            .counter(BytesCount::of_str(text))
            .bench(|| Parser::Default.event("/", None, "to", black_box(text), Vec::new()));
    }

    #[divan::bench]
    fn encode_ack(bencher: Bencher) {
        bencher.bench(|| Parser::Default.ack("/", black_box(123_456), "1", Vec::new()));
    }
}

/// Ten packets in one body of long-polling, and binary frames: what the revisions write in their own ways.
#[divan::bench_group]
mod payload {
    use super::*;

    fn packets() -> Vec<Frame> {
        vec![Frame::Text(event_frame()); 10]
    }

    #[divan::bench]
    fn encode_v3(bencher: Bencher) {
        let packets = packets();
        bencher.bench(|| v3::encode_payload(black_box(&packets)));
    }

    #[divan::bench]
    fn encode_v4(bencher: Bencher) {
        let packets = packets();
        bencher.bench(|| v4::encode_payload(black_box(&packets)));
    }

    #[divan::bench]
    fn decode_v3(bencher: Bencher) {
        let body = v3::encode_payload(&packets());
        bencher.bench(|| v3::decode_payload(black_box(&body)).expect("valid"));
    }

    #[divan::bench]
    fn decode_v4(bencher: Bencher) {
        let body = v4::encode_payload(&packets());
        bencher.bench(|| v4::decode_payload(black_box(&body)).expect("valid"));
    }

    #[divan::bench]
    fn binary_v3(bencher: Bencher) {
        let data = [7; 338];
        bencher.bench(|| v3::encode_binary(black_box(&data)));
    }
}
