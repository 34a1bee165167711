/** What the player has typed or chosen and not sent yet: a redraw must not reset it. Plain values, no I/O. */

/** The attributes of a text field whose text is kept until it is sent. */
export function draftText(state, key) {
  return { "data-key": key, "data-draft": true, value: draftsOf(state)[key] ?? "", oninput: keeper(state, key) };
}

/** The attributes of a choice among values that is kept until it is sent; the first one where the chosen one is gone. */
export function draftChoice(state, key, values) {
  const chosen = draftsOf(state)[key];
  return { "data-key": key, "data-draft": true, value: values.includes(chosen) ? chosen : values[0], onchange: keeper(state, key) };
}

/** It was sent; what was typed since then stays. */
export function dropDraft(state, key, sent) {
  if (draftsOf(state)[key] === sent) delete draftsOf(state)[key];
}

function keeper(state, key) {
  return (event) => {
    draftsOf(state)[key] = event.target.value;
  };
}

function draftsOf(state) {
  state.drafts ??= {};
  return state.drafts;
}
