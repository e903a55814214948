//! The kinds of model servers that are known here.

/// A kind of model server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ollama.
    Ollama,
    /// vLLM.
    Vllm,
    /// SGLang.
    Sglang,
    /// llama.cpp's server.
    LlamaCpp,
    /// Any other with OpenAI's API.
    OpenAi,
    /// Text Generation Inference.
    Tgi,
    /// Text Embeddings Inference.
    Tei,
    /// Triton, or another with KServe's V2 protocol.
    Triton,
}

impl Kind {
    /// All, by their names on the command line.
    pub const ALL: [(&'static str, Self); 8] = [
        ("ollama", Self::Ollama),
        ("vllm", Self::Vllm),
        ("sglang", Self::Sglang),
        ("llama.cpp", Self::LlamaCpp),
        ("openai", Self::OpenAi),
        ("tgi", Self::Tgi),
        ("tei", Self::Tei),
        ("triton", Self::Triton),
    ];

    /// As people call it.
    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Ollama => "Ollama",
            Self::Vllm => "vLLM",
            Self::Sglang => "SGLang",
            Self::LlamaCpp => "llama.cpp",
            Self::OpenAi => "a server with OpenAI's API",
            Self::Tgi => "Text Generation Inference",
            Self::Tei => "Text Embeddings Inference",
            Self::Triton => "a server with KServe's V2 protocol",
        }
    }

    /// Its name on the command line.
    pub(super) fn name(self) -> &'static str {
        let mut all = Self::ALL.into_iter();
        all.find_map(|(name, kind)| (kind == self).then_some(name))
            .unwrap_or_default()
    }

    /// A model to ask for where the server named none.
    pub(super) fn usual_model(self) -> &'static str {
        match self {
            Self::Ollama => "llama3.2",
            _ => "model",
        }
    }

    /// Whether it takes prompts, and answers with text.
    pub(super) fn has_prompts(self) -> bool {
        !matches!(self, Self::Tei | Self::Triton)
    }
}
