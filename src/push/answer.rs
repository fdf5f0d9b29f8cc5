//! What a request to the receiver is answered with. No answer repeats anything of the request.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

use crate::etcp::Code;

/// An answer to the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is on disk.
    Stored,
    /// It is refused, for good.
    Refused(Code),
    /// It could not be stored: the platform is to send it again.
    NotStored,
    /// There is nothing at this address.
    NoSuchPath,
    /// Pushes are posted.
    NotPosted,
}

impl Answer {
    /// As HTTP. Only a connection that brings true pushes is kept, if it may be: a stranger has to come anew each time.
    pub(super) fn response(self, may_be_kept: bool) -> Response<Body> {
        let (status, code) = match self {
            Self::Stored => (StatusCode::OK, Some(Code::Success)),
            Self::Refused(code) => (StatusCode::OK, Some(code)),
            Self::NotStored => (StatusCode::SERVICE_UNAVAILABLE, Some(Code::ServerFault)),
            Self::NoSuchPath => (StatusCode::NOT_FOUND, None),
            Self::NotPosted => (StatusCode::METHOD_NOT_ALLOWED, None),
        };
        let mut response = Response::new(code.map_or_else(Body::empty, |code| Body::from(text(code))));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if code.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
        }
        if self == Self::NotPosted {
            headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        if self != Self::Stored || !may_be_kept {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// `{"code":0,"message":"ok"}`, and for other codes the words of §10.
fn text(code: Code) -> String {
    let message = if code.is_success() { "ok" } else { code.chinese() };
    serde_json::json!({"code": code.number(), "message": message}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_are_the_documents() {
        assert_eq!(text(Code::Success), r#"{"code":0,"message":"ok"}"#);
        assert_eq!(text(Code::BadSignature), r#"{"code":4,"message":"签名校验非法"}"#);
        assert_eq!(text(Code::BadParameter), r#"{"code":6,"message":"参数错误"}"#);
        assert_eq!(text(Code::ServerFault), r#"{"code":2,"message":"服务器异常"}"#);
    }

    #[test]
    fn only_what_could_not_be_stored_is_a_fault_of_the_server() {
        for answer in [Answer::Stored, Answer::Refused(Code::BadSignature), Answer::NoSuchPath, Answer::NotPosted] {
            assert!(!answer.response(true).status().is_server_error(), "{answer:?}");
        }
        assert_eq!(Answer::NotStored.response(true).status(), 503);
    }
}
