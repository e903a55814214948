//! Vectors, and what databases of them say beside them.

use super::*;

#[test]
fn points_of_qdrant() {
    // api.qdrant.tech/api-reference: ScoredPoint, Record, PointGroup, SearchMatrixPair, UpdateResult.
    let point = r#"{"id":RAW,"version":RAW,"score":0.9,"payload":{"text":"MAIL","card":"MAIL"},"vector":[0.1,RAW],"order_value":RAW}"#;
    let named = r#"{"id":"KEY","payload":{"vector":"MAIL"},"vector":{"image":[RAW],"many":[[0.5,RAW]],"text":{"indices":[RAW],"values":[0.5]}}}"#;
    let both = format!("{point},{named}");
    for sample in [
        format!(r#"{{"usage":null,"time":0.001,"status":"ok","result":[{both}]}}"#),
        format!(r#"{{"time":NUM,"status":"ok","result":[[{both}],[]]}}"#),
        format!(r#"{{"time":NUM,"status":"ok","result":{point}}}"#),
        format!(r#"{{"status":"ok","result":{{"points":[{both}],"next_page_offset":RAW}}}}"#),
        format!(r#"{{"status":"ok","result":[{{"points":[{both}]}}]}}"#),
        format!(
            r#"{{"status":"ok","result":{{"groups":[{{"hits":[{both}],"id":"MAIL","lookup":{named}}}]}}}}"#
        ),
        r#"{"status":"ok","result":{"pairs":[{"a":RAW,"b":"KEY","score":RAW}]}}"#.to_owned(),
        r#"{"result":{"offsets_row":[RAW],"offsets_col":[0],"scores":[0.5],"ids":[RAW,"KEY"]}}"#
            .to_owned(),
        r#"{"result":{"operation_id":NUM,"status":"acknowledged"}}"#.to_owned(),
        r#"{"result":{"hits":[{"value":"MAIL","count":1}]}}"#.to_owned(),
        // Requests: PointStruct, Batch, SearchRequest, QueryRequest; a Document in the place of a vector.
        r#"{"points":[{"id":RAW,"vector":[RAW],"payload":{"text":"MAIL"}},{"id":"KEY","vector":{"a":[RAW],"b":{"indices":[RAW],"values":[1.5]},"c":{"text":"MAIL","model":"m"}}}]}"#.to_owned(),
        r#"{"points":[RAW,"KEY"]}"#.to_owned(),
        r#"{"batch":{"ids":[RAW],"vectors":{"a":[[RAW]]},"payloads":[{"text":"MAIL"}]}}"#.to_owned(),
        r#"{"vector":{"name":"MAIL","vector":[RAW]},"filter":{"must":[{"match":{"value":"MAIL"}}]}}"#.to_owned(),
        r#"{"query":[RAW],"limit":3}"#.to_owned(),
        r#"{"query":{"nearest":{"text":"MAIL","model":"m"}}}"#.to_owned(),
        r#"{"query":{"recommend":{"positive":[RAW,"KEY",[RAW],{"text":"MAIL"}]}}}"#.to_owned(),
    ] {
        check("qdrant", &sample, false);
    }
}

#[test]
fn objects_of_weaviate() {
    // docs.weaviate.io/weaviate/api/rest: Object, ObjectsListResponse, ObjectsGetResponse.
    let object = r#"{"class":"A","id":"KEY","properties":{"text":"MAIL","card":"MAIL","of":[{"beacon":"KEY","href":"KEY"}]},"creationTimeUnix":RAW,"lastUpdateTimeUnix":RAW,"vector":[0.1,RAW],"vectors":{"a":[RAW],"b":[[RAW]]},"additional":{"distance":RAW}}"#;
    let hit = r#"{"text":"MAIL","_additional":{"id":"KEY","vector":[RAW],"vectors":{"a":[RAW]},"distance":RAW,"score":"KEY","creationTimeUnix":"KEY","explainScore":"MAIL","generate":{"singleResult":"MAIL"},"rerank":[{"score":RAW}]},"of":[{"text":"MAIL","_additional":{"id":"KEY"}}]}"#;
    for sample in [
        object.to_owned(),
        format!(r#"{{"objects":[{object}],"totalResults":NUM}}"#),
        format!("[{object}]"),
        // docs.weaviate.io/weaviate/api/graphql: Get, Explore, Aggregate, additional properties.
        format!(r#"{{"data":{{"Get":{{"A":[{hit}],"B":[{hit}]}}}},"errors":[{{"message":"MAIL"}}]}}"#),
        format!(r#"[{{"data":{{"Get":{{"A":[{hit}]}}}}}}]"#),
        r#"{"data":{"Explore":[{"beacon":"KEY","certainty":RAW,"className":"MAIL"}]}}"#.to_owned(),
        r#"{"data":{"Aggregate":{"A":[{"meta":{"count":NUM},"text":{"topOccurrences":[{"value":"MAIL"}]}}]}}}"#.to_owned(),
    ] {
        check("weaviate", &sample, false);
    }
}

#[test]
fn entities_of_milvus() {
    // milvus.io/api-reference/restful/v2.5.x: Search, Hybrid Search, Query, Get, Insert, Upsert.
    for sample in [
        r#"{"code":0,"cost":NUM,"data":[{"id":RAW,"distance":0.5,"text":"MAIL","vector":[0.1,RAW]}],"topks":[NUM]}"#,
        r#"{"code":0,"data":{"insertCount":NUM,"insertIds":[RAW,"KEY"]}}"#,
        r#"{"code":0,"data":{"upsertCount":NUM,"upsertIds":[RAW]}}"#,
        // Requests.
        r#"{"collectionName":"c","data":[[RAW]],"filter":"MAIL","limit":3}"#,
        r#"{"collectionName":"c","data":["MAIL"],"annsField":"a"}"#,
        r#"{"collectionName":"c","search":[{"data":[[RAW]],"annsField":"a"}]}"#,
        r#"{"collectionName":"c","data":[{"id":RAW,"vector":[RAW],"text":"MAIL"}]}"#,
        r#"{"collectionName":"c","id":[RAW]}"#,
    ] {
        check("milvus", sample, false);
    }
}

#[test]
fn records_of_chroma() {
    // docs.trychroma.com/reference, openapi.json: QueryResponse, GetResponse, SearchResponse, Collection.
    for sample in [
        r#"{"ids":[["KEY"]],"embeddings":[[[0.1,RAW]]],"documents":[["MAIL"]],"uris":[["MAIL"]],"metadatas":[[{"from":"MAIL"}]],"distances":[[RAW]],"include":["documents"]}"#,
        r#"{"ids":["KEY"],"embeddings":[[0.1,RAW]],"documents":["MAIL"],"metadatas":[{"ids":"MAIL"}]}"#,
        r##"{"ids":[["KEY"]],"documents":[["MAIL"]],"embeddings":[null],"metadatas":[null],"scores":[[RAW]],"select":[["#document"]]}"##,
        r#"{"id":"KEY","name":"MAIL","metadata":{"by":"MAIL"},"dimension":NUM,"log_position":NUM,"version":NUM}"#,
        r#"[{"id":"KEY","name":"MAIL","dimension":NUM}]"#,
        // Requests: AddCollectionRecordsPayload (vectors may be in base64), QueryRequestPayload.
        r#"{"ids":["KEY"],"embeddings":["KEY"],"documents":["MAIL"],"metadatas":[{"a":"MAIL"}]}"#,
        r#"{"query_embeddings":[[RAW]],"n_results":3,"where":{"a":"MAIL"}}"#,
    ] {
        check("chroma", sample, false);
    }
}

/// Numbers as servers write them: floats of 32 and 64 bits, rounded ones, and quantized ones.
fn vector(seed: u32) -> String {
    let numbers: Vec<String> = (0..64_u32)
        .map(|at| {
            let chance = (seed * 64 + at).wrapping_mul(2_654_435_761);
            let wide = f64::from(chance) / f64::from(u32::MAX) * 2.0 - 1.0;
            let [byte, other, ..] = chance.to_be_bytes();
            match at % 8 {
                0 => format!("{wide:e}"),
                1 => format!("{wide:.8}"),
                2 => format!("{:.4}", wide * 100.0),
                3 => other.to_string(),
                4 => i8::from_be_bytes([byte]).to_string(),
                5 => format!("{:.6}", wide * 1e4),
                6 => format!("{wide}"),
                _ => format!("{:e}", wide * 1e-9),
            }
        })
        .collect();
    format!("[{}]", numbers.join(","))
}

#[test]
fn vectors_come_back_as_they_are() {
    let mask = mask(None);
    let shapes = [
        // openai/openai-openapi, Embedding; so do vLLM, Voyage, Jina, Mistral, LiteLLM.
        (
            "openai",
            r#"{"data":[{"index":0,"embedding":@}],"usage":{"total_tokens":1}}"#,
        ),
        // docs.vllm.ai, "Pooling API"; api.jina.ai, "multi-vector": a vector of each token.
        ("openai", r#"{"data":[{"index":0,"data":[@,@]}]}"#),
        ("openai", r#"{"data":[{"index":0,"embeddings":[@,@]}]}"#),
        ("mistral", r#"{"data":[{"index":0,"embedding":@}]}"#),
        // huggingface.github.io/text-embeddings-inference: `/embed`, `/embed_all`, `/embed_sparse`.
        ("tei", "[@,@]"),
        ("tei", "[[@,@]]"),
        ("tei", r#"[[{"index":411111,"value":0.41111111}]]"#),
        // docs.cohere.com/reference/embed, version 2 and 1.
        (
            "cohere",
            r#"{"embeddings":{"float":[@],"int8":[[-1,127]],"ubinary":[[255,0]],"base64":["aGk="]}}"#,
        ),
        (
            "cohere",
            r#"{"embeddings":[@],"response_type":"embeddings_floats"}"#,
        ),
        // docs.aws.amazon.com/bedrock, "Amazon Titan Embeddings Text"; Cohere's.
        (
            "bedrock",
            r#"{"embedding":@,"embeddingsByType":{"float":@,"binary":[0,1]},"inputTextTokenCount":1}"#,
        ),
        ("bedrock", r#"{"embeddings":{"float":[@]}}"#),
        // ai.google.dev/api/embeddings; Vertex AI's prediction.
        ("gemini", r#"{"embedding":{"values":@}}"#),
        ("gemini", r#"{"embeddings":[{"values":@}]}"#),
        (
            "gemini",
            r#"{"predictions":[{"embeddings":{"values":@,"statistics":{"token_count":1}}}]}"#,
        ),
        // github.com/ollama/ollama, docs/api.md: `/api/embed`, `/api/embeddings`.
        ("ollama", r#"{"embeddings":[@],"total_duration":14143917}"#),
        ("ollama", r#"{"embedding":@}"#),
        // mlflow.org/docs, "MLflow Model Serving"; its gateway's embeddings.
        ("mlflow", r#"{"predictions":[@]}"#),
        ("mlflow", r#"{"data":[{"embedding":@,"index":0}]}"#),
        // pytorch.org/serve: what the model's handler gives.
        ("torchserve", "@"),
        ("torchserve", r#"{"0":@}"#),
        // tensorflow.org/tfx/serving/api_rest; the Open Inference Protocol.
        ("tfserving", r#"{"predictions":[@]}"#),
        (
            "kserve",
            r#"{"outputs":[{"name":"a","datatype":"FP32","shape":[1,64],"data":@}]}"#,
        ),
        // Hugging Face's feature extraction.
        ("huggingface", "[[@]]"),
    ];
    for (turn, (dialect, shape)) in (0..).zip(shapes) {
        let body = shape.replace('@', &vector(turn));
        serde_json::from_str::<serde_json::Value>(&body).unwrap();
        let out = masked(&mask, layout(named(dialect)), Format::Json, &body);
        assert_eq!(out, body, "{dialect}");
        let out = masked(&mask, None, Format::Json, &body);
        assert_eq!(out, body, "{dialect}, on a route that nobody knows");
    }
}
