//! Where the links of a program lead. It is no promise: changing it makes no new version.

use super::{Refusal, RefusalCode};
use crate::{
    domain::landing::{self, CLICK_PARAMETER, REF_PARAMETER},
    store::models,
};

/// What to change of a program's links; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct LinkChange {
    /// The landing page; the inner `None` goes back to the one of the installation.
    pub landing_url: Option<Option<String>>,
    /// Name of the parameter that carries the code.
    pub ref_parameter: Option<String>,
    /// Name of the parameter that carries the click.
    pub click_parameter: Option<String>,
}

/// Where the links of a program lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProgramLinks {
    pub(super) landing_url: Option<String>,
    pub(super) ref_parameter: String,
    pub(super) click_parameter: String,
}

impl Default for ProgramLinks {
    fn default() -> Self {
        let (ref_parameter, click_parameter) = (REF_PARAMETER.to_owned(), CLICK_PARAMETER.to_owned());
        Self { landing_url: None, ref_parameter, click_parameter }
    }
}

impl ProgramLinks {
    pub(super) fn of(program: &models::Program) -> Self {
        Self {
            landing_url: program.landing_url.clone(),
            ref_parameter: program.ref_parameter.clone(),
            click_parameter: program.click_parameter.clone(),
        }
    }

    pub(super) fn put_on(self, program: &mut models::Program) {
        program.landing_url = self.landing_url;
        program.ref_parameter = self.ref_parameter;
        program.click_parameter = self.click_parameter;
    }
}

impl LinkChange {
    /// The links after the change, and what is wrong with it.
    pub(super) fn on(&self, before: ProgramLinks) -> (ProgramLinks, Vec<Refusal>) {
        let mut wrong = Vec::new();
        let mut note = |field, problem: Result<(), landing::LandingError>| {
            wrong.extend(problem.err().map(|error| invalid(field, error.to_string())));
        };
        if let Some(Some(url)) = &self.landing_url {
            note("landingUrl", landing::page(url).map(drop));
        }
        if let Some(name) = &self.ref_parameter {
            note("refParameter", landing::parameter(name));
        }
        if let Some(name) = &self.click_parameter {
            note("clickIdParameter", landing::parameter(name));
        }
        let links = ProgramLinks {
            landing_url: self.landing_url.clone().unwrap_or(before.landing_url),
            ref_parameter: self.ref_parameter.clone().unwrap_or(before.ref_parameter),
            click_parameter: self.click_parameter.clone().unwrap_or(before.click_parameter),
        };
        if links.ref_parameter == links.click_parameter {
            wrong.push(invalid("clickIdParameter", "the two parameters need names of their own"));
        }
        (links, wrong)
    }
}

fn invalid(field: &'static str, message: impl Into<String>) -> Refusal {
    Refusal::new(RefusalCode::InvalidInput, field, message)
}
