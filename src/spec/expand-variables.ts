// `$(VAR)` in commands, arguments and values of variables, as Kubernetes expands it ("Define Dependent Environment
// Variables"): `$$` stands for `$`, and a reference to a variable that does not exist stays as it is.

/** The text with every `$(NAME)` replaced whose name is in `variables`. Linear in the length of the text. */
export function expandVariables(text: string, variables: ReadonlyMap<string, string>): string {
  let expanded = '';
  let done = 0;
  for (let at = text.indexOf('$'); at !== -1; at = text.indexOf('$', done)) {
    expanded += text.slice(done, at);
    const next = text[at + 1];
    const end = next === '(' ? text.indexOf(')', at) : -1;
    if (next === '(' && end === -1) return expanded + text.slice(at).replaceAll('$$', () => '$');
    if (next === '(') {
      const name = text.slice(at + 2, end);
      expanded += variables.get(name) ?? `$(${name})`;
      done = end + 1;
    } else {
      expanded += '$';
      done = at + (next === '$' ? 2 : 1);
    }
  }
  return expanded + text.slice(done);
}
