//! A TCP connection that can be broken on request: before the first byte of an answer, or in the
//! middle of its body. HTTP servers have no way to say that, so it is done one layer below.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::request::Line;

const WHOLE: u8 = 0;
const DROPPED: u8 = 1;
const CUT: u8 = 2;

/// The fate of one connection, shared by the handler that decides it and the stream that carries it out.
#[derive(Clone, Debug, Default)]
pub(super) struct Fate(Arc<AtomicU8>);

impl Fate {
    pub(super) fn set(&self, line: Line) {
        let fate = match line {
            Line::Whole => WHOLE,
            Line::Dropped => DROPPED,
            Line::Cut => CUT,
        };
        self.0.store(fate, Ordering::SeqCst);
    }

    fn get(&self) -> u8 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A listener whose connections can be broken.
pub(super) struct BreakableListener(pub(super) TcpListener);

impl Listener for BreakableListener {
    type Io = Breakable;
    type Addr = Fate;

    async fn accept(&mut self) -> (Breakable, Fate) {
        let fate = Fate::default();
        let (stream, _) = Listener::accept(&mut self.0).await;
        // Answers are small and go out at once; without it they would only be slower.
        drop(stream.set_nodelay(true));
        (Breakable { stream, fate: fate.clone(), left: None }, fate)
    }

    fn local_addr(&self) -> io::Result<Fate> {
        Ok(Fate::default())
    }
}

impl Connected<IncomingStream<'_, BreakableListener>> for Fate {
    fn connect_info(stream: IncomingStream<'_, BreakableListener>) -> Self {
        stream.remote_addr().clone()
    }
}

/// One connection.
pub(super) struct Breakable {
    stream: TcpStream,
    fate: Fate,
    /// Once it is being cut: how many bytes may still go out.
    left: Option<usize>,
}

/// How much of an answer goes out when it is cut: its head and half of its body. The server hands
/// over small answers in one piece.
fn half_of_the_body(answer: &[u8]) -> usize {
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(0, |at| at.saturating_add(4));
    head.saturating_add(answer.len().saturating_sub(head) / 2)
}

impl AsyncWrite for Breakable {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let allowed = match self.fate.get() {
            WHOLE => return Pin::new(&mut self.stream).poll_write(context, bytes),
            CUT => *self.left.get_or_insert_with(|| half_of_the_body(bytes)),
            _ => 0,
        };
        let piece = bytes.get(..allowed).unwrap_or(bytes);
        if piece.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let result = Pin::new(&mut self.stream).poll_write(context, piece);
        if let Poll::Ready(Ok(written)) = result {
            self.left = Some(allowed.saturating_sub(written));
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl AsyncRead for Breakable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}
