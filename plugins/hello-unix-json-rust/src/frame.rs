//! Frames: a big-endian `u32`, then as many bytes.

use std::io::{self, ErrorKind, Read, Write};

const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The next frame, or nothing where the peer has hung up between two of them.
pub fn read(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut header = [0; 4];
    match reader.read(&mut header)? {
        0 => return Ok(None),
        count => reader.read_exact(&mut header[count..])?,
    }
    let length = u32::from_be_bytes(header) as usize;
    if length > MAX_BYTES {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            format!("a frame of {length} bytes is too long"),
        ));
    }
    // What was announced is not what comes: memory grows with the bytes that arrive.
    let mut body = Vec::new();
    reader.by_ref().take(length as u64).read_to_end(&mut body)?;
    if body.len() < length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(body))
}

pub fn write(writer: &mut impl Write, body: &[u8]) -> io::Result<()> {
    if body.len() > MAX_BYTES {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            "the answer is too long",
        ));
    }
    let mut frame = Vec::with_capacity(4 + body.len());
    frame.extend_from_slice(&(body.len() as u32).to_be_bytes());
    frame.extend_from_slice(body);
    writer.write_all(&frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let mut bytes = Vec::new();
        write(&mut bytes, b"one").unwrap();
        write(&mut bytes, b"").unwrap();
        let mut reader = bytes.as_slice();
        assert_eq!(read(&mut reader).unwrap(), Some(b"one".to_vec()));
        assert_eq!(read(&mut reader).unwrap(), Some(Vec::new()));
        assert_eq!(read(&mut reader).unwrap(), None);
    }

    #[test]
    fn refuses_what_is_too_long_or_cut_off() {
        assert!(read(&mut [1, 0, 0, 1].as_slice()).is_err());
        assert!(read(&mut [0, 0, 0, 2, 7].as_slice()).is_err());
        assert!(read(&mut [0, 0].as_slice()).is_err());
    }
}
