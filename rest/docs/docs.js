"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

/** An element with a class and children; text is only ever text. */
function make(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  Object.assign(element, options);
  element.append(...children);
  return element;
}

function row(kind, ...cells) {
  return make("tr", {}, ...cells.map((cell) => make(kind, {}, cell ?? "")));
}

function table(heads, rows) {
  return make("table", {}, make("thead", {}, row("th", ...heads)), make("tbody", {}, ...rows));
}

function resolve(schema, api) {
  const name = schema?.$ref?.split("/").pop();
  return name ? api.components.schemas[name] : schema;
}

/** A schema in a few words. */
function type(schema, api) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const any = schema.anyOf ?? schema.oneOf;
  if (any) return any.map((one) => type(one, api)).join(" | ");
  if (schema.type === "array") return `${type(schema.items, api)}[]`;
  return schema.format ?? schema.type ?? "any";
}

function fields(schema, api) {
  const object = resolve(schema, api);
  const rows = Object.entries(object?.properties ?? {}).map(([name, field]) =>
    row("td", make("code", {}, name), type(field, api), field.description));
  return rows.length ? table(["field", "type", "meaning"], rows) : "";
}

function content(media, api) {
  const parts = [];
  for (const [kind, { schema }] of Object.entries(media ?? {})) {
    parts.push(make("p", {}, make("code", {}, kind), ` ${type(schema, api)}`));
    if (kind === "application/json") parts.push(fields(schema, api));
  }
  return parts;
}

function operation(path, method, described, api) {
  const parts = [make("p", {}, described.description ?? "")];
  if (described.parameters?.length) {
    parts.push(make("h4", {}, "Parameters"), table(["name", "in", "type", "meaning"], described.parameters.map((p) =>
      row("td", make("code", {}, p.name), p.in, type(p.schema, api), p.description))));
  }
  if (described.requestBody) {
    parts.push(make("h4", {}, "Body"), ...content(described.requestBody.content, api));
  }
  parts.push(make("h4", {}, "Answers"));
  for (const [status, answer] of Object.entries(described.responses)) {
    const problem = "application/problem+json" in (answer.content ?? {});
    parts.push(make("p", {}, make("strong", {}, status), ` ${answer.description ?? ""}`));
    if (!problem) parts.push(...content(answer.content, api));
  }
  const title = make("summary", {}, make("span", { className: `method ${method}` }, method.toUpperCase()),
    make("code", {}, path), ` ${described.summary ?? ""}`);
  return make("details", { id: described.operationId }, title, ...parts);
}

function show(api) {
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const [tag] = item[method].tags;
      groups.set(tag, [...(groups.get(tag) ?? []), operation(path, method, item[method], api)]);
    }
  }
  for (const [tag, routes] of groups) {
    document.getElementById("contents").append(make("a", { href: `#${tag}` }, tag));
    document.getElementById("routes").append(make("h2", { id: tag }, tag), ...routes);
  }
  document.getElementById("about").firstChild.textContent = `${api.info.summary}. Made from `;
  document.getElementById("about").lastChild.textContent = ".";
}

fetch("/openapi.json")
  .then((answer) => answer.json())
  .then(show)
  .catch((error) => { document.getElementById("about").textContent = `The description cannot be loaded: ${error}`; });
