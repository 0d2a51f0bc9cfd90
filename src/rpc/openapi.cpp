#include "rpc/openapi.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "codecs/json_text.hpp"
#include "rpc/path_text.hpp"
#include "validation/schema_writer.hpp"

namespace quarq::rpc {
namespace {

std::string arguments_schema(const detail::named_handler& one, detail::schema_document& in) {
  const auto& names = one.call.parameter_names;
  const auto& types = one.schema.parameters;
  std::string members, required, items;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const char* const comma = i == 0 ? "" : ", ";
    const auto type = types[i](in);
    items += comma + type;
    if (names.empty()) continue;
    members += fmt::format("{}{}: {}", comma, codecs::json_string(names[i]), type);
    required += comma + codecs::json_string(names[i]);
  }
  if (!names.empty()) {
    return fmt::format(
        R"({{"type": "object", "properties": {{{}}}, "required": [{}], "additionalProperties": false}})",
        members, required);
  }
  const auto prefix = items.empty() ? std::string() : fmt::format(R"("prefixItems": [{}], )", items);
  return fmt::format(R"({{"type": "array", {0}"minItems": {1}, "maxItems": {1}}})", prefix, types.size());
}

std::string content_of(std::string_view schema) {
  return fmt::format(R"({{"application/json": {{"schema": {}}}}})", schema);
}

constexpr std::string_view error_answer =
    R"({"description": "Why there is no result.", "content": {"application/json": {"schema": {"$ref": )"
    R"("#/components/schemas/error"}}}})";

// What generators make a function's name of, so it has no characters that a URL has not; each is given once.
std::string operation_id(std::string_view task, std::set<std::string>& given) {
  std::string plain = path_text(task);
  std::replace(plain.begin(), plain.end(), '%', '_');
  std::string id = plain;
  for (int i = 2; !given.insert(id).second; ++i) id = fmt::format("{}_{}", plain, i);
  return id;
}

std::string operation_of(const detail::named_handler& one, std::string_view id, detail::schema_document& in) {
  return fmt::format(
      R"({{"post": {{"operationId": {0}, "summary": {1}, "requestBody": {{"required": {2}, "content": {3}}}, )"
      R"("responses": {{"200": {{"description": "The result.", "content": {4}}}, "4XX": {5}, "5XX": {5}}}}}}})",
      codecs::json_string(id), codecs::json_string(one.task),
      one.schema.parameters.empty() ? "false" : "true", content_of(arguments_schema(one, in)),
      content_of(one.schema.result(in)), error_answer);
}

constexpr std::string_view error_schema =
    R"("error": {"type": "object", "required": ["code", "message", "details"], "properties": {)"
    R"("code": {"type": "string"}, "message": {"type": "string"}, "details": {"type": "array", "items": {)"
    R"("type": "object", "properties": {"type": {"type": "string"}, "kind": {"type": "string"}, "path": {)"
    R"("type": "array", "items": {"type": ["string", "integer"]}}, "message": {"type": "string"}}}}}})";

}  // namespace

std::string openapi_of(const std::vector<detail::named_handler>& all) {
  validation::schema_writer schemas("#/components/schemas/", {"error"});
  std::string paths;
  std::set<std::string> given;
  for (const auto& one : all) {
    paths +=
        fmt::format("{}{}: {}", paths.empty() ? "" : ", ", codecs::json_string("/rpc/" + path_text(one.task)),
                    operation_of(one, operation_id(one.task, given), schemas));
  }
  // Without its braces.
  const auto definitions = schemas.definitions();
  const auto others = std::string_view(definitions).substr(1, definitions.size() - 2);
  return fmt::format(
      R"({{"openapi": "3.1.0", "info": {{"title": "Tasks", "version": "1", "license": {{"name": "unspecified", )"
      R"("identifier": "NOASSERTION"}}}}, "servers": [{{"url": "/"}}], "security": [], "paths": {{{}}}, )"
      R"("components": {{"schemas": {{{}{}{}}}}}}})",
      paths, error_schema, others.empty() ? "" : ", ", others);
}

const std::string_view docs_policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'";

const std::string_view docs_page = R"html(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Tasks</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 50em; padding: 0 1em; }
pre, textarea { font: 14px/1.4 ui-monospace, monospace; background: #f4f4f4; padding: .6em; overflow: auto; }
textarea { width: 100%; box-sizing: border-box; border: 1px solid #ccc; }
details { border-bottom: 1px solid #ddd; padding: .5em 0; } summary { cursor: pointer; font-weight: 600; }
</style></head><body><h1>Tasks</h1>
<p>Each is called with <code>POST</code> and its arguments as JSON; see <a href="/openapi.json">openapi.json</a>.</p>
<main id="tasks"></main>
<script>
function element(name, text, parent) {
  const made = document.createElement(name);
  made.textContent = text;
  parent.append(made);
  return made;
}
let schemas = {};
const named = (reference) => reference.split("/").pop();
function example(schema, within = []) {
  if (schema.$ref) {
    const name = named(schema.$ref);
    return within.includes(name) ? {} : example(schemas[name], [...within, name]);
  }
  if ("const" in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  const either = schema.anyOf || schema.oneOf;
  if (either) return example(either[0], within);
  switch (schema.type) {
    case "object": return Object.fromEntries(
        Object.entries(schema.properties || {}).map(([name, of]) => [name, example(of, within)]));
    case "array": return (schema.prefixItems || []).map((of) => example(of, within));
    case "string": return "";
    case "integer": case "number": return Math.max(0, schema.minimum || 0);
    case "boolean": return false;
    default: return null;
  }
}
// The schemas that it refers to, by their names.
function mentioned(schema, found = {}) {
  for (const [key, value] of Object.entries(schema)) {
    if (key === "$ref" && !(named(value) in found)) {
      found[named(value)] = schemas[named(value)];
      mentioned(schemas[named(value)], found);
    } else if (value && typeof value === "object") mentioned(value, found);
  }
  return found;
}
async function call(path, body, output) {
  const answer = await fetch(path, {method: "POST", body, headers: {"Content-Type": "application/json"}});
  output.textContent = answer.status + "\n" + await answer.text();
}
function show(path, task) {
  const box = element("details", "", document.getElementById("tasks"));
  element("summary", task.summary, box);
  const takes = task.requestBody.content["application/json"].schema;
  const gives = task.responses["200"].content["application/json"].schema;
  element("p", "Takes:", box);
  element("pre", JSON.stringify(takes, null, 2), box);
  element("p", "Returns:", box);
  element("pre", JSON.stringify(gives, null, 2), box);
  for (const [name, schema] of Object.entries(mentioned([takes, gives]))) {
    element("p", name + ":", box);
    element("pre", JSON.stringify(schema, null, 2), box);
  }
  const input = element("textarea", JSON.stringify(example(takes), null, 2), box);
  input.rows = 4;
  const button = element("button", "Call", box);
  const output = element("pre", "", box);
  button.onclick = () => call(path, input.value, output).catch((e) => { output.textContent = e; });
}
fetch("/openapi.json").then((r) => r.json()).then((all) => {
  schemas = all.components.schemas;
  for (const [path, methods] of Object.entries(all.paths)) show(path, methods.post);
});
</script></body></html>
)html";

}  // namespace quarq::rpc
