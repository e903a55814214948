//! The commands that `--keep` prints.

use crate::paper::Paper;
use crate::stage::Stage;

/// Prints what to try while everything stays up.
pub fn commands(paper: &mut Paper, stage: &Stage) {
    stage
        .model
        .say("Ana Silva <ana.silva@example.com> paid with 4111 1111 1111 1111.");
    paper.title("To play with");
    let envoy = stage.mesh.url();
    let desk = format!("http://127.0.0.1:{}", stage.desk.port);
    let model = format!("http://127.0.0.1:{}", stage.model.port());
    let admin = format!("http://127.0.0.1:{}", stage.mesh.admin_port());
    let token = stage.engineer("dave");
    let key = &stage.desk.reviewer_key;
    let json = "-H 'content-type: application/json'";
    let bearer = "-H \"authorization: Bearer $TOKEN\"";
    let reviewer = "-H \"authorization: Bearer $ANA\"";
    let question = r#"{"model":"small-1","messages":[{"role":"user","content":"Who paid?"}]}"#;
    let stream = question.replacen('{', r#"{"stream":true,"#, 1);
    let job = r#"{"model":"small-1","training_file":"file-3"}"#;
    paper.line(&format!(
        "
# dave's token, good for an hour, and the key of ana, who reviews
TOKEN={token}
ANA={key}

# the model server itself: anybody
curl -sw '\\n' {model}/v1/chat/completions {json} -d '{question}'

# through Envoy: refused without a token, masked with one, also in a stream (ten a minute pass)
curl -isw '\\n' {envoy}/v1/chat/completions {json} -d '{question}'
curl -sw '\\n' {envoy}/v1/chat/completions {bearer} {json} -d '{question}'
curl -sN {envoy}/v1/chat/completions {bearer} {json} -d '{stream}'

# model files are not handed out
curl -isw '\\n' {envoy}/models/small-1/model.safetensors {bearer}

# a request that waits for a person (for a minute), what the desk lists, and the approval
curl -sw '\\n' {envoy}/v1/fine_tuning/jobs {bearer} {json} -d '{job}' &
sleep 1; curl -sw '\\n' '{desk}/v1/approvals?state=pending' {reviewer}
ID=$(curl -s '{desk}/v1/approvals?state=pending' {reviewer} | grep -o 'apr_[0-9a-f]*' | head -n 1)
curl -sw '\\n' {desk}/v1/approvals/$ID/approve {reviewer} {json} -d '{{\"reason\":\"reviewed\"}}'
wait $!

# the session records, the latest first
curl -sw '\\n' '{desk}/v1/sessions?subject=dave' {reviewer}

# Envoy's admin interface
curl -sw '\\n' '{admin}/stats?filter=wasm'

Enter or ctrl-c stops everything."
    ));
}
