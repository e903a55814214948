//! Clients that speak without TLS where it is spoken.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a client is told that speaks HTTP/1.1 without TLS. Others are told nothing that they would understand.
const PLAIN: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\
    content-length: 22\r\n\r\nThis port speaks TLS.\n";

/// How much of a client's plain request is read, and for how long, so that its system doesn't throw away the answer.
const MAX_PLAIN_BYTES: u64 = 64 << 10;
const PLAIN_PATIENCE: Duration = Duration::from_secs(1);

/// Tells a client that this is not how to speak here.
pub(super) async fn refuse(stream: &mut TcpStream) {
    let said = async {
        stream.write_all(PLAIN).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(MAX_PLAIN_BYTES), &mut tokio::io::sink()).await
    };
    // Whether it arrives is the client's business.
    let _ = tokio::time::timeout(PLAIN_PATIENCE, said).await;
}
