//! What becomes of each dialect's bodies under a mask, by the shapes that their references have.

use super::*;
use mask::policy::{BUILT_IN_DETECTORS, Coverage, Detection, Detector, Options, Reasoning, Style};
use mask::{CompiledMask, Format, Framing, Walker};

mod vectors;

#[test]
fn all_layouts_can_be_read() {
    for dialect in DIALECTS {
        if let Err(error) = read(dialect) {
            panic!("{}: {error}", dialect.name);
        }
    }
    assert!(layout(named("openai")).is_some());
    assert!(layout(named("grpc")).is_none());
}

fn named(name: &str) -> &'static Dialect {
    let mut dialects = DIALECTS.iter();
    dialects.find(|dialect| dialect.name == name).unwrap()
}

fn mask(reasoning: Option<Reasoning>) -> CompiledMask {
    let detections: Vec<Detection> = BUILT_IN_DETECTORS
        .iter()
        .map(|name| Detection {
            detector: Detector::BuiltIn(name),
            style: Style::Label,
        })
        .collect();
    let coverage = Coverage {
        reasoning,
        ..Coverage::default()
    };
    CompiledMask::new(&detections).unwrap().with(&Options {
        coverage,
        ..Options::default()
    })
}

/// The body masked in one piece, after checking that smaller ones change nothing.
fn masked(
    mask: &CompiledMask,
    layout: Option<&'static Layout>,
    format: Format,
    body: &str,
) -> String {
    let run = |size: usize| {
        let framing = Framing {
            layout,
            ..Framing::default()
        };
        let mut walker = Walker::framed(format, framing);
        let mut out = Vec::new();
        for piece in body.as_bytes().chunks(size) {
            walker.push(mask, piece, &mut out).unwrap();
        }
        walker.finish(mask, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let whole = run(body.len());
    for size in [1, 5] {
        assert_eq!(run(size), whole, "in pieces of {size}");
    }
    whole
}

/// What `KEY` stands for in a sample: base64 that must stay as it is, and would be masked as text.
const KEY: &str = "aGk/AKIAIOSFODNN7EXAMPLE+aGk=";
const MAIL: &str = "ana@example.com, ";
const NUMBER: &str = "4111111111111111";

/// A sample in which something stands for each of: what is no text (`KEY`), text (`MAIL`), reasoning
/// (`THINK`) and such as is signed (`SIGNED`), a number (`NUM`), and one that must stay (`RAW`).
fn filled(sample: &str, [mail, think, signed, number]: [&str; 4]) -> String {
    let pairs = [
        ("KEY", KEY),
        ("MAIL", mail),
        ("THINK", think),
        ("SIGNED", signed),
        ("NUM", number),
        ("RAW", NUMBER),
    ];
    let fill = |text: String, (name, with): &(&str, &str)| text.replace(name, with);
    pairs.iter().fold(sample.to_owned(), fill)
}

/// Checks a body, whole unless it is only an event, and as an event.
fn check(dialect: &str, sample: &str, only_event: bool) {
    let layout = layout(named(dialect));
    assert!(serde_json::from_str::<serde_json::Value>(&filled(sample, ["", "", "", "0"])).is_ok());
    let came = filled(sample, [MAIL, MAIL, MAIL, NUMBER]);
    let seen = "[EMAIL], ";
    for (reasoning, think, signed) in [
        (None, seen, MAIL),
        (Some(Reasoning::Mask), seen, seen),
        (Some(Reasoning::Pass), MAIL, MAIL),
        (Some(Reasoning::Drop), "", ""),
    ] {
        let mask = mask(reasoning);
        let expected = filled(sample, [seen, think, signed, "0"]);
        if !only_event {
            let out = masked(&mask, layout, Format::Json, &came);
            assert_eq!(out, expected, "{dialect}, {reasoning:?}");
        }
        let event = |json: &str| format!("data: {json}\n\n");
        let out = masked(&mask, layout, Format::Events, &event(&came));
        assert_eq!(
            out,
            event(&expected),
            "{dialect}, {reasoning:?}, as an event"
        );
    }
}

/// A message of OpenAI's chat, as LiteLLM, OpenRouter and Google fill it (litellm/types/utils.py;
/// openrouter.ai/docs/use-cases/reasoning-tokens; ai.google.dev/gemini-api/docs/openai).
const MESSAGE: &str = r#"{"role":"assistant","content":"MAIL","reasoning":"THINK","reasoning_details":[{"type":"reasoning.text","text":"SIGNED","signature":"KEY","format":"anthropic-claude-v1"},{"type":"reasoning.encrypted","data":"KEY"}],"thinking_blocks":[{"type":"thinking","thinking":"SIGNED","signature":"KEY"},{"type":"redacted_thinking","data":"KEY"}],"provider_specific_fields":{"thinking_blocks":[{"type":"thinking","thinking":"SIGNED","signature":"KEY"}],"thought_signatures":["KEY"],"reasoning_content":"THINK"},"extra_content":{"google":{"thought_signature":"KEY"}},"tool_calls":[{"id":"KEY","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"KEY"}},"provider_specific_fields":{"thought_signature":"KEY"}}]}"#;

#[test]
fn chats_of_openai_and_of_what_speaks_it() {
    let answer = r#"{"id":"KEY","created":NUM,"choices":[{"index":0,"seed":NUM,"message":@,"token_ids":[NUM],"logprobs":{"content":[{"token":"a","logprob":-0.1,"bytes":[97,NUM],"top_logprobs":[]}]}}],"prompt_token_ids":[NUM],"prompt_logprobs":[null,{"7":{"logprob":-0.1,"rank":NUM}}],"timings":{"prompt_n":NUM},"usage":{"total_tokens":NUM}}"#;
    check("openai", &answer.replace('@', MESSAGE), false);
    let request = r#"{"model":"m","messages":[@]}"#;
    check("openai", &request.replace('@', MESSAGE), false);
    check("gemini", &request.replace('@', MESSAGE), false);
    // Thoughts on Google's route of OpenAI's API.
    for sample in [
        r#"{"choices":[{"index":0,"delta":{"content":"THINK","extra_content":{"google":{"thought":true}}}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"MAIL","extra_content":{"google":{"thought_signature":"KEY"}}}}]}"#,
    ] {
        check("openai", sample, false);
        check("gemini", sample, false);
    }
    for sample in [
        r#"{"choices":[{"index":0,"delta":{"content":"</thought>MAIL","extra_content":{"google":{"thought":true}}}}]}"#,
        r#"{"choices":[{"index":0,"message":{"content":"<thought>so</thought>MAIL","extra_content":{"google":{"thought":true}}}}]}"#,
    ] {
        check("openai", sample, false);
    }
    // Mistral's ThinkChunk (github.com/mistralai/client-python, models/thinkchunk.py).
    for place in ["message", "delta"] {
        let sample = r#"{"choices":[{"index":0,"@":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"THINK"}]}]}}]}"#;
        check("openai", &sample.replace('@', place), false);
    }
}

#[test]
fn responses_of_openai_and_their_events() {
    // github.com/openai/openai-openapi, components: Response, ReasoningItem, Annotation, CompactionBody.
    let response = r#"{"id":"KEY","created_at":NUM,"previous_response_id":"KEY","output":[{"type":"reasoning","id":"KEY","encrypted_content":"KEY","summary":[{"type":"summary_text","text":"THINK"}],"content":[{"text":"THINK","type":"reasoning_text"}]},{"type":"message","id":"KEY","content":[{"type":"output_text","text":"MAIL","annotations":[{"type":"container_file_citation","container_id":"KEY","file_id":"KEY","filename":"MAIL"},{"type":"file_citation","file_id":"KEY"}]}]},{"type":"code_interpreter_call","id":"KEY","container_id":"KEY"},{"type":"compaction","encrypted_content":"KEY"},{"type":"image_generation_call","result":"KEY"}]}"#;
    check("openai", response, false);
    let event = format!(r#"{{"type":"response.completed","response":{response}}}"#);
    check("openai", &event, false);
    check(
        "openai",
        &response.replace("\"output\"", "\"input\""),
        false,
    );
    for sample in [
        r#"{"type":"response.reasoning_text.delta","item_id":"KEY","output_index":0,"obfuscation":"KEY","delta":"THINK"}"#,
        r#"{"type":"response.reasoning_text.done","item_id":"KEY","output_index":0,"text":"THINK"}"#,
        r#"{"type":"response.reasoning_summary_text.delta","item_id":"KEY","output_index":0,"delta":"THINK"}"#,
        r#"{"type":"response.reasoning_summary_text.done","item_id":"KEY","output_index":0,"text":"THINK"}"#,
        r#"{"type":"response.reasoning_summary_part.done","item_id":"KEY","output_index":0,"part":{"type":"summary_text","text":"THINK"}}"#,
        r#"{"type":"response.content_part.done","item_id":"KEY","output_index":0,"part":{"type":"reasoning_text","text":"THINK"}}"#,
        r#"{"type":"response.content_part.done","item_id":"KEY","output_index":0,"part":{"type":"output_text","text":"MAIL","annotations":[{"file_id":"KEY"}]}}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"id":"KEY","type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"THINK"}]}}"#,
        r#"{"type":"response.output_text.annotation.added","item_id":"KEY","annotation":{"type":"file_citation","file_id":"KEY"}}"#,
    ] {
        check("openai", sample, true);
    }
}

#[test]
fn gemini_and_what_else_google_serves() {
    for sample in [
        // ai.google.dev/api/caching: Content and Part; `thought` may follow the text.
        r#"{"candidates":[{"content":{"parts":[{"text":"THINK","thought":true},{"text":"MAIL","thoughtSignature":"KEY"},{"inlineData":{"mimeType":"image/png","data":"KEY"}},{"functionCall":{"id":"KEY","name":"f","args":{}}}]},"groundingMetadata":{"searchEntryPoint":{"sdkBlob":"KEY"}}}],"usageMetadata":{"totalTokenCount":NUM},"responseId":"KEY"}"#,
        r#"{"contents":[{"role":"model","parts":[{"thought":true,"text":"THINK"},{"text":"MAIL","thoughtSignature":"KEY"}]}]}"#,
        r#"{"predictions":[{"bytesBase64Encoded":"KEY","mimeType":"image/png","prompt":"MAIL"}]}"#,
        r#"{"response":{"generateVideoResponse":{"generatedSamples":[{"video":{"encodedVideo":"KEY"}}]}}}"#,
        r#"{"response":{"videos":[{"bytesBase64Encoded":"KEY","mimeType":"video/mp4"}]}}"#,
        // ai.google.dev/api/interactions-api
        r#"{"id":"KEY","steps":[{"type":"thought","signature":"KEY","summary":[{"type":"text","text":"THINK"}]},{"type":"model_output","content":[{"type":"text","text":"MAIL"},{"type":"image","data":"KEY"}]}],"usage":{"total_tokens":NUM}}"#,
        r#"{"event_type":"step.delta","index":0,"delta":{"type":"thought_summary","content":{"type":"text","text":"THINK"}}}"#,
        r#"{"event_type":"step.delta","index":0,"delta":{"type":"thought_signature","signature":"KEY"}}"#,
        // Claude on Vertex AI.
        r#"{"content":[{"type":"thinking","thinking":"SIGNED","signature":"KEY"},{"type":"text","text":"MAIL"}]}"#,
    ] {
        check("gemini", sample, false);
    }
}

#[test]
fn anthropic_and_bedrock() {
    for sample in [
        // anthropic-sdk-python, types/beta: BetaCompactionBlock, BetaWebSearchResultBlock.
        r#"{"id":"KEY","content":[{"type":"compaction","content":"MAIL","encrypted_content":"KEY"},{"type":"thinking","thinking":"SIGNED","signature":"KEY"},{"type":"text","text":"MAIL","citations":[{"type":"web_search_result_location","encrypted_index":"KEY","cited_text":"MAIL"}]},{"type":"web_search_tool_result","tool_use_id":"KEY","content":[{"type":"web_search_result","title":"MAIL","encrypted_content":"KEY"}]},{"type":"code_execution_tool_result","content":{"type":"code_execution_result","stdout":"MAIL","content":[{"file_id":"RAW"}]}}],"container":{"id":"KEY"},"usage":{"input_tokens":NUM}}"#,
        r#"{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"KEY"}},{"type":"tool_result","tool_use_id":"KEY","content":[{"type":"text","text":"MAIL"},{"type":"image","source":{"type":"base64","data":"KEY"}}]}]}]}"#,
    ] {
        // A number in quotes is text.
        let sample = sample.replace("{\"file_id\":\"RAW\"}", "{\"file_id\":\"file_1\"}");
        check("anthropic", &sample, false);
        check("bedrock", &sample, false);
    }
    check(
        "anthropic",
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"compaction_delta","content":"MAIL","encrypted_content":"KEY"}}"#,
        true,
    );
    for sample in [
        // docs.aws.amazon.com/bedrock/latest/APIReference: ReasoningContentBlock
        r#"{"output":{"message":{"content":[{"reasoningContent":{"reasoningText":{"text":"SIGNED","signature":"KEY"}}},{"reasoningContent":{"redactedContent":"KEY"}},{"text":"MAIL"},{"toolUse":{"toolUseId":"KEY","input":{}}},{"toolResult":{"toolUseId":"KEY","content":[{"image":{"source":{"bytes":"KEY"}}}]}}]}},"metrics":{"latencyMs":NUM}}"#,
        r#"{"contentBlockDelta":{"delta":{"reasoningContent":{"text":"SIGNED"}},"contentBlockIndex":0}}"#,
        r#"{"contentBlockDelta":{"delta":{"reasoningContent":{"signature":"KEY"}},"contentBlockIndex":0}}"#,
        r#"{"choices":[{"message":{"reasoning_content":"THINK","content":"MAIL"}}]}"#,
    ] {
        check("bedrock", sample, false);
    }
}

#[test]
fn the_other_dialects() {
    for (dialect, sample) in [
        // github.com/ollama/ollama, api/types.go: ChatResponse, GenerateResponse.
        (
            "ollama",
            r#"{"message":{"content":"MAIL","thinking":"THINK"},"total_duration":NUM,"eval_count":NUM}"#,
        ),
        (
            "ollama",
            r#"{"response":"MAIL","thinking":"THINK","context":[RAW],"load_duration":NUM}"#,
        ),
        (
            "ollama",
            r#"{"messages":[{"content":"MAIL","thinking":"THINK","images":["KEY"]}]}"#,
        ),
        // docs.cohere.com/reference/chat: AssistantMessageResponse.
        (
            "cohere",
            r#"{"id":"KEY","message":{"content":[{"type":"thinking","thinking":"THINK"},{"type":"text","text":"MAIL"}]},"usage":{"tokens":{"input_tokens":NUM}}}"#,
        ),
        // modelcontextprotocol.io/specification, schema.ts: ImageContent, EmbeddedResource.
        (
            "mcp",
            r#"{"jsonrpc":"2.0","id":"KEY","result":{"content":[{"type":"image","data":"KEY","mimeType":"image/png"},{"type":"resource","resource":{"uri":"x","blob":"KEY"}},{"type":"text","text":"MAIL"}]}}"#,
        ),
        (
            "mcp",
            r#"{"jsonrpc":"2.0","id":RAW,"result":{"contents":[{"uri":"x","blob":"KEY"}]}}"#,
        ),
        (
            "mcp",
            r#"{"jsonrpc":"2.0","id":1,"result":{"messages":[{"role":"user","content":{"type":"audio","data":"KEY"}}]}}"#,
        ),
        // docs.mistral.ai/api: OCRResponse, ConversationResponse.
        (
            "mistral",
            r#"{"pages":[{"index":0,"markdown":"MAIL","images":[{"id":"img-0.jpeg","image_base64":"KEY"}]}]}"#,
        ),
        (
            "mistral",
            r#"{"conversation_id":"KEY","outputs":[{"type":"message.output","id":"KEY","content":[{"type":"thinking","thinking":[{"type":"text","text":"THINK"}]}]}]}"#,
        ),
        (
            "tfserving",
            r#"{"predictions":[NUM,[NUM,1.5],{"b64":"KEY"},"MAIL"]}"#,
        ),
        (
            "kserve",
            r#"{"id":"KEY","outputs":[{"shape":[NUM],"data":[NUM]}]}"#,
        ),
        (
            "tgi",
            r#"{"generated_text":"MAIL","details":{"seed":NUM,"tokens":[]}}"#,
        ),
        (
            "mlflow",
            r#"{"choices":[{"message":{"reasoning_content":"THINK","content":"MAIL"}}]}"#,
        ),
    ] {
        check(dialect, sample, false);
    }
}

/// stable-diffusion-webui (modules/api/models.py) has pictures in `images`, on routes that no catalog has:
/// what they are is told by their form.
#[test]
fn a_picture_on_a_route_that_nobody_knows() {
    let noise: Vec<u8> = (0..600_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    let coded = mask_base64(&noise);
    let (front, behind) = coded.split_at(400);
    let json = format!(
        r#"{{"images":["{front}/AKIAIOSFODNN7EXAMPLE+{behind}"],"info":"ana@example.com"}}"#
    );
    let expected = json.replace("ana@example.com", "[EMAIL]");
    assert_eq!(masked(&mask(None), None, Format::Json, &json), expected);
    // No number of a list goes on in the next.
    let list = format!(r#"{{"bytes":{noise:?},"text":"{noise:?}"}}"#);
    assert_eq!(masked(&mask(None), None, Format::Json, &list), list);
}

fn mask_base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// ai.google.dev/api/files, docs.claude.com (Files, Skills), docs.cohere.com (connectors),
/// docs.aws.amazon.com/bedrock (ListCustomModels), platform.openai.com (vector stores),
/// huggingface.co (pipelines), api.jina.ai, docs.voyageai.com.
#[test]
fn pages_sizes_and_pictures_of_lists() {
    for (dialect, sample) in [
        (
            "gemini",
            r#"{"files":[{"name":"files/a","displayName":"MAIL","sizeBytes":"RAW"}],"nextPageToken":"KEY"}"#,
        ),
        (
            "gemini",
            r#"{"file":{"displayName":"MAIL","sizeBytes":"RAW"}}"#,
        ),
        (
            "anthropic",
            r#"{"data":[{"filename":"MAIL","size_bytes":NUM}],"next_page":"KEY","last_id":"KEY"}"#,
        ),
        (
            "cohere",
            r#"{"connectors":[{"name":"MAIL"}],"next_page_token":"KEY"}"#,
        ),
        (
            "bedrock",
            r#"{"modelSummaries":[{"modelName":"MAIL"}],"nextToken":"KEY"}"#,
        ),
        (
            "openai",
            r#"{"data":[{"filename":"MAIL"}],"next_page":"KEY"}"#,
        ),
        (
            "openai",
            r#"{"data":[{"index":0,"embeddings":["KEY","KEY"]}]}"#,
        ),
        (
            "openai",
            r#"{"data":[{"data":[{"index":0,"embedding":"KEY"}]}]}"#,
        ),
        (
            "openai",
            r#"{"choices":[{"message":{"content":[{"type":"text","text":"MAIL"},{"type":"image","source":{"type":"base64","data":"KEY"}},{"type":"image","image":"KEY"}]}}]}"#,
        ),
        (
            "huggingface",
            r#"[{"generated_image":"KEY","label":"MAIL"}]"#,
        ),
    ] {
        check(dialect, sample, false);
    }
}

/// platform.openai.com/docs/api-reference: runs, run steps, stored chats, conversations, batches,
/// fine-tuning, uploads, videos.
#[test]
fn what_openai_lists() {
    for sample in [
        r#"{"object":"thread.run","required_action":{"type":"submit_tool_outputs","submit_tool_outputs":{"tool_calls":[{"id":"KEY","type":"function","function":{"name":"f","arguments":"{}"}}]}}}"#,
        r#"{"data":[{"object":"thread.run.step","step_details":{"type":"tool_calls","tool_calls":[{"id":"KEY"}]}}]}"#,
        r#"{"data":[{"object":"thread.message","attachments":[{"file_id":"KEY"}],"content":[{"type":"text","text":{"value":"MAIL"}}]}]}"#,
        r#"{"tool_resources":{"code_interpreter":{"file_ids":["KEY"]},"file_search":{"vector_store_ids":["KEY"]}}}"#,
        r#"{"object":"list","data":[{"type":"image_generation_call","id":"KEY","result":"KEY"}]}"#,
        r#"{"object":"list","data":[{"id":"KEY","choices":[{"message":{"content":"MAIL","tool_calls":[{"id":"KEY"}],"audio":{"id":"KEY","data":"KEY"}}}]}]}"#,
        r#"{"object":"list","data":[{"role":"assistant","content":"MAIL","tool_calls":[{"id":"KEY"}]}]}"#,
        r#"{"object":"batch","input_file_id":"KEY","output_file_id":"KEY","error_file_id":"KEY","metadata":{"note":"MAIL"}}"#,
        r#"{"data":[{"object":"fine_tuning.job","training_file":"KEY","validation_file":"KEY","result_files":["KEY"]}]}"#,
        r#"{"object":"upload","filename":"MAIL","file":{"id":"KEY","filename":"MAIL"}}"#,
        r#"{"object":"video","prompt":"MAIL","remixed_from_video_id":"KEY"}"#,
    ] {
        check("openai", sample, false);
    }
}
