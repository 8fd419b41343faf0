//! Walking a document with every spread replaced by its fragment.

use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};

use super::shape::{Shape, TypeId};

/// A document and the schema it is asked of.
#[derive(Clone, Copy)]
pub(super) struct Expansion<'a> {
    pub document: &'a ExecutableDocument,
    pub shape: &'a Shape,
}

/// A selection set to be walked, the type it selects from, and what the walker knows of the way there.
pub(super) struct Open<'a, C> {
    pub set: &'a SelectionSet,
    pub parent: Option<TypeId>,
    pub context: C,
}

impl<'a> Expansion<'a> {
    /// Calls `enter` for every field below `root`; what it returns is the context of that field's own selection.
    ///
    /// To be used only on documents whose expanded selections were counted before: it visits each of them. It keeps its
    /// own stack, as nothing but that count bounds how many inline fragments and spreads stand inside each other.
    pub(super) fn walk<C, E>(
        self,
        root: Open<'a, C>,
        mut enter: impl FnMut(&'a Field, Option<TypeId>, &C) -> Result<Option<(Option<TypeId>, C)>, E>,
    ) -> Result<(), E>
    where
        C: Clone,
    {
        let mut stack = vec![root];
        while let Some(open) = stack.pop() {
            for selection in &open.set.items {
                match &selection.node {
                    Selection::Field(field) => {
                        if let Some((parent, context)) = enter(&field.node, open.parent, &open.context)? {
                            stack.push(Open { set: &field.node.selection_set.node, parent, context });
                        }
                    }
                    Selection::InlineFragment(inline) => {
                        let condition = inline.node.type_condition.as_ref();
                        let parent = condition.map_or(open.parent, |on| self.shape.type_id(&on.node.on.node));
                        let set = &inline.node.selection_set.node;
                        stack.push(Open { set, parent, context: open.context.clone() });
                    }
                    Selection::FragmentSpread(spread) => {
                        if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                            let parent = self.shape.type_id(&fragment.node.type_condition.node.on.node);
                            let set = &fragment.node.selection_set.node;
                            stack.push(Open { set, parent, context: open.context.clone() });
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
