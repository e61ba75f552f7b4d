//! Places of many keys: `{name}` and `{id}` in a place stand for the key's own, so that no key overwrites another.

use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::sink::SinkSpec;
use crate::text;

const NAME: &str = "{name}";
const ID: &str = "{id}";

/// Refuses places that several keys would share.
pub(crate) fn check(to: &[SinkSpec]) -> Result<(), Failure> {
    let example = "give each key a place of its own, as in --to 'file:DIRECTORY/{name}' or --to 'cmd:COMMAND {name}'";
    let refused = |message: String| Err(Failure::new(Exit::Usage, "no_place_of_its_own", message).hint(example));
    if to.is_empty() {
        return refused("many keys cannot all go to standard output".to_owned());
    }
    for place in to {
        let text = place.to_string();
        if !text.contains(NAME) && !text.contains(ID) {
            return refused(format!("every key would go to `{text}`"));
        }
    }
    Ok(())
}

/// The places of one key; of one that is not made yet, the id is not known. A name that others chose must not lead
/// elsewhere, nor be a command.
pub(crate) fn of(to: &[SinkSpec], name: &str, id: Option<&str>) -> Result<Vec<SinkSpec>, Failure> {
    let place = |spec: &SinkSpec| {
        let template = spec.to_string();
        let stays = !name.contains('/') && !name.starts_with(['.', '-']);
        let harmless = stays && (!matches!(spec, SinkSpec::Command(_)) || text::shell_word(name) == name);
        let problem = |what: &str, hint: &str| {
            let message = format!("the key {} has no place: {what}", quoted(name));
            Failure::new(Exit::Usage, "unusable_name", message).hint(hint)
        };
        let other_name = if id.is_some() { "use {id} in --to instead of {name}" } else { "choose another name" };
        if template.contains(NAME) && !harmless {
            return Err(problem("its name cannot stand in one", other_name));
        }
        if template.contains(ID) && id.is_none() {
            return Err(problem("its id is not known before it is made", "use {name} in --to instead of {id}"));
        }
        // The id first: a name may hold what stands for one.
        let text = template.replace(ID, id.unwrap_or(ID)).replace(NAME, name);
        text.parse::<SinkSpec>().map_err(|error| problem(&error.to_string(), other_name))
    };
    to.iter().map(place).collect()
}
