//! What a pod's status says, for people and for whoever waits.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

/// How a pod stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PodState {
    /// It has not begun, and may begin.
    Pending(String),
    /// It cannot begin as things are, which may pass.
    Stuck(String),
    /// It cannot begin, whatever happens.
    Hopeless(String),
    /// It runs, or has run: there is something to read.
    Running,
    /// It has ended well.
    Done,
    /// It has ended, and how.
    Failed(String),
}

/// Reasons that go away when somebody else does something.
const STUCK: &[&str] = &[
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImagePull",
    "ImagePullBackOff",
    "RunContainerError",
];
const HOPELESS: &[&str] = &["ErrImageNeverPull", "InvalidImageName"];

pub(super) fn state(pod: &Pod) -> PodState {
    let Some(status) = &pod.status else {
        return PodState::Pending("pending".to_owned());
    };
    let containers = status.container_statuses.as_deref().unwrap_or_default();
    if let Some(container) = containers.first()
        && let Some(state) = of_container(container)
    {
        return state;
    }
    match status.phase.as_deref() {
        Some("Succeeded") => PodState::Done,
        // As when the node wanted its place.
        Some("Failed") => PodState::Failed(ended_by_cluster(
            status.reason.as_deref(),
            status.message.as_deref(),
        )),
        _ => {
            let conditions = status.conditions.as_deref().unwrap_or_default();
            let unscheduled = conditions
                .iter()
                .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
            let message = unscheduled.and_then(|condition| condition.message.as_deref());
            PodState::Pending(said("pending", None, message))
        }
    }
}

fn of_container(container: &ContainerStatus) -> Option<PodState> {
    let state = container.state.as_ref()?;
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().unwrap_or("waiting");
        let message = waiting.message.as_deref();
        let text = match reason {
            "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" | "InvalidImageName" => {
                let image = format!("the image {} cannot be fetched ({reason})", container.image);
                said(&image, None, message)
            }
            _ => said("pending", Some(reason), message),
        };
        return Some(if HOPELESS.contains(&reason) {
            PodState::Hopeless(text)
        } else if STUCK.contains(&reason) {
            PodState::Stuck(text)
        } else {
            PodState::Pending(text)
        });
    }
    if let Some(ended) = &state.terminated {
        let code = ended.exit_code;
        return Some(match ended.reason.as_deref() {
            _ if code == 0 => PodState::Done,
            Some("OOMKilled") => PodState::Failed(
                "was ended since it wanted more memory than it may have (OOMKilled): see memory in its settings"
                    .to_owned(),
            ),
            Some("Error") | None => PodState::Failed(format!("failed with exit code {code}")),
            reason => PodState::Failed(format!(
                "{}, exit code {code}",
                ended_by_cluster(reason, ended.message.as_deref())
            )),
        });
    }
    state.running.as_ref().map(|_| PodState::Running)
}

fn ended_by_cluster(reason: Option<&str>, message: Option<&str>) -> String {
    said("was ended by the cluster", reason, message)
}

fn said(what: &str, reason: Option<&str>, message: Option<&str>) -> String {
    let reason = reason
        .map(|reason| format!(" ({reason})"))
        .unwrap_or_default();
    let message = message
        .map(|message| format!(": {message}"))
        .unwrap_or_default();
    format!("{what}{reason}{message}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(status: Value) -> Pod {
        serde_json::from_value(json!({"metadata": {}, "status": status})).unwrap()
    }

    fn container(state: Value) -> Pod {
        pod(json!({"phase": "Pending", "containerStatuses": [{
            "name": "task", "image": "registry/pipeline:1", "imageID": "", "ready": false, "restartCount": 0, "state": state,
        }]}))
    }

    #[test]
    fn what_keeps_a_pod_from_its_beginning_is_told() {
        let waits = |reason: &str, message: &str| {
            state(&container(
                json!({"waiting": {"reason": reason, "message": message}}),
            ))
        };
        assert_eq!(
            waits("ImagePullBackOff", "Back-off pulling image"),
            PodState::Stuck(
                "the image registry/pipeline:1 cannot be fetched (ImagePullBackOff): Back-off pulling image".to_owned()
            )
        );
        assert!(matches!(
            waits("InvalidImageName", "no"),
            PodState::Hopeless(_)
        ));
        assert_eq!(
            waits("ContainerCreating", "soon"),
            PodState::Pending("pending (ContainerCreating): soon".to_owned())
        );
        let unscheduled = pod(json!({"phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available",
        }]}));
        assert_eq!(
            state(&unscheduled),
            PodState::Pending("pending: 0/3 nodes are available".to_owned())
        );
    }

    #[test]
    fn how_a_pod_ended_is_told() {
        let ended = |code: i32, reason: &str| {
            state(&container(
                json!({"terminated": {"exitCode": code, "reason": reason}}),
            ))
        };
        assert_eq!(ended(0, "Completed"), PodState::Done);
        assert_eq!(
            ended(7, "Error"),
            PodState::Failed("failed with exit code 7".to_owned())
        );
        let PodState::Failed(text) = ended(137, "OOMKilled") else {
            panic!()
        };
        assert!(
            text.contains("more memory than it may have (OOMKilled)"),
            "{text}"
        );
        let evicted = pod(
            json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource"}),
        );
        assert_eq!(
            state(&evicted),
            PodState::Failed(
                "was ended by the cluster (Evicted): The node was low on resource".to_owned()
            )
        );
    }
}
