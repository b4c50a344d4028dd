//! Builds tasks from what a scheduler knows of them, or a parent process.

use std::sync::Arc;

use condotta_scheduler::{ParamValue, Recipe};
use condotta_worker::{LoadError, TaskHandle, TaskLoader};

use super::settings::Settings;
use crate::{
    class::{Origin, ParamSource, ParamSpec},
    registry,
};

/// Builds tasks of this program's classes. What a recipe leaves out is taken from the settings, as
/// for any task.
pub(crate) struct Loader(pub(crate) Arc<Settings>);

impl TaskLoader for Loader {
    fn load(&self, recipe: &Recipe) -> Result<TaskHandle, LoadError> {
        let unknown = || LoadError::UnknownFamily(recipe.family.clone());
        let class = registry::find(&recipe.family).map_err(|_| unknown())?;
        let build = class.build.ok_or_else(unknown)?;
        let source = RecipeSource {
            recipe,
            settings: &self.0,
        };
        build(&source).map_err(|error| LoadError::Invalid {
            family: recipe.family.clone(),
            source: Box::new(error),
        })
    }
}

struct RecipeSource<'a> {
    recipe: &'a Recipe,
    settings: &'a Settings,
}

impl ParamSource for RecipeSource<'_> {
    fn given(&self, family: &str, param: &ParamSpec) -> Option<(Vec<String>, Origin)> {
        let own = self.recipe.params.iter();
        match own
            .filter(|_| family == self.recipe.family)
            .find(|(name, _)| name == param.name)
        {
            Some((_, ParamValue::One(text))) => Some((vec![text.clone()], Origin::Given)),
            Some((_, ParamValue::Many(texts))) => Some((texts.clone(), Origin::Given)),
            None => self.settings.given(family, param),
        }
    }
}
