//! What is wrong with a configuration of engines, and how an engine fails a run.

#[cfg(feature = "kubernetes")]
use crate::kubernetes::KubernetesError;
use crate::slurm::SlurmError;

/// The configuration says what cannot be done. Nothing has run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// There is no such engine.
    #[error("{origin}: [engine] {family} is {name:?}: there are {}", known.join(", "))]
    NoEngine {
        /// Whose engine it would be.
        family: String,
        /// What it says.
        name: String,
        /// Where.
        origin: String,
        /// The names of engines.
        known: Vec<&'static str>,
    },
    /// The program cannot use the engine.
    #[error(
        "{family} is to run on {engine}, which is not built into this program: it has to be built with the \
         feature {engine}"
    )]
    NotBuiltIn {
        /// Whose engine it would be.
        family: String,
        /// Which.
        engine: &'static str,
    },
    /// A section is for what is neither an engine nor a family that runs elsewhere.
    #[error(
        "{origin}: section [{section}] is for no engine, and for no task that runs elsewhere: \
         [engine] has no {name}"
    )]
    NobodysSection {
        /// The section.
        section: String,
        /// What it is for.
        name: String,
        /// Where.
        origin: String,
    },
    /// A section has a key that the engine does not know.
    #[error("{origin}: section [{section}] has no key {key}; {engine} knows {}", known.join(", "))]
    NoKey {
        /// The section.
        section: String,
        /// The key.
        key: String,
        /// Where.
        origin: String,
        /// Whose it would be.
        engine: &'static str,
        /// The keys there are.
        known: Vec<&'static str>,
    },
    /// A value that makes no sense.
    #[error("{origin}: [{section}] {key} is {value:?}: {reason}")]
    Value {
        /// The section.
        section: String,
        /// The key.
        key: String,
        /// What it says.
        value: String,
        /// Where.
        origin: String,
        /// What it should be.
        reason: &'static str,
    },
    /// A value is needed and is not there.
    #[error(
        "{family} is to run on {engine}, which needs {key} ({about}): set it in section [engine:{engine}] \
         or [engine:{family}]"
    )]
    Missing {
        /// Whose value.
        family: String,
        /// On which engine.
        engine: &'static str,
        /// Of which name.
        key: &'static str,
        /// What it is.
        about: &'static str,
    },
}

/// An engine did not run a task to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Slurm did not.
    #[error(transparent)]
    Slurm(#[from] SlurmError),
    /// Kubernetes did not.
    #[cfg(feature = "kubernetes")]
    #[error(transparent)]
    Kubernetes(#[from] KubernetesError),
}
