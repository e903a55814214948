//! Tensors whose bytes stand behind the JSON that describes them: the binary data extension of the
//! Open Inference Protocol over HTTP (KServe V2, Triton)
//! (<https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md>).
//!
//! A header says how long the JSON is. Behind it stand the tensors that have a size there, in the
//! order of their list. What is masked changes a text's length, so that of its tensor, so the JSON that
//! says it, and so the header: nothing is written before the last text has come, and numbers in front of
//! it are held as well, however little a mask does with them. Numbers that follow it are not held.
//!
//! | here | what it does |
//! |---|---|
//! | `body` | the walker |
//! | `head` | finds in the JSON which tensors stand behind it |
//! | `elements` | what tensors have in common, over HTTP and over gRPC |

mod body;
mod elements;
mod head;

#[cfg(test)]
mod tests;

pub(super) use body::Tensors;
pub(super) use elements::{are_numbers, count};
