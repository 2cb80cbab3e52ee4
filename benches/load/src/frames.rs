//! WebSocket frames by hand: reading in place, writing into a buffer that is sent in one go.

/// A whole frame of a client: its opcode, and where its payload, unmasked now, stands.
pub struct Frame {
    pub opcode: u8,
    pub payload: std::ops::Range<usize>,
}

pub const TEXT: u8 = 1;
pub const CLOSE: u8 = 8;

/// The frame that begins at `start`, if all of it is there.
pub fn next_frame(buffer: &mut [u8], start: usize) -> Option<Frame> {
    let rest = &buffer[start..];
    let (&first, &second) = (rest.first()?, rest.get(1)?);
    let (length, header) = match second & 0x7f {
        126 => (usize::from(u16::from_be_bytes(rest.get(2..4)?.try_into().ok()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(rest.get(2..10)?.try_into().ok()?)).ok()?, 10),
        length => (usize::from(length), 2),
    };
    let mask: [u8; 4] = rest.get(header..header + 4)?.try_into().ok()?;
    let payload = start + header + 4..start + header + 4 + length;
    unmask(buffer.get_mut(payload.clone())?, mask);
    Some(Frame { opcode: first & 0x0f, payload })
}

/// Many bytes at a time: byte by byte the server would be slower than the clients that it serves.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let mut wide = [0; 32];
    wide.chunks_exact_mut(4).for_each(|part| part.copy_from_slice(&mask));
    let mut chunks = payload.chunks_exact_mut(wide.len());
    for chunk in &mut chunks {
        chunk.iter_mut().zip(wide).for_each(|(byte, mask)| *byte ^= mask);
    }
    chunks.into_remainder().iter_mut().zip(wide).for_each(|(byte, mask)| *byte ^= mask);
}

/// Adds a text frame of a server.
pub fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(0x80 | TEXT);
    match text.len() {
        length @ 0..=125 => out.push(length as u8),
        length @ 126..=0xffff => {
            out.push(126);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(127);
            out.extend((length as u64).to_be_bytes());
        }
    }
    out.extend(text);
}
