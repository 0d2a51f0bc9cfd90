// JSON Schema (2020-12) of a type.
#include <charconv>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <quarq/detail/model_engine.hpp>

#include "codecs/json.hpp"
#include "validation/formats.hpp"
#include "validation/value_checks.hpp"

namespace quarq::validation {

namespace {

std::string in_quotes(std::string_view text) {
  std::string encoded;
  encoder(encoded).text(text);
  return codecs::to_json(encoded);
}

std::string number_text(const bound& b, bool is_whole) {
  if (is_whole) return digits_of(b.whole);
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, b.real).ptr;
  return std::string(digits, end);
}

/// The members of one JSON object, as they are added.
class schema_object {
 public:
  schema_object& put(std::string_view name, std::string_view json) {
    if (!text_.empty()) text_ += ", ";
    text_ += in_quotes(name);
    text_ += ": ";
    text_ += json;
    return *this;
  }
  std::string text() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

class schema_writer {
 public:
  std::string document(const type& root) {
    schema_object result;
    result.put("$schema", in_quotes("https://json-schema.org/draft/2020-12/schema"));
    // An object by itself is the root and a definition, which others may refer to.
    const std::string of_root = schema_of(root, {});
    while (!waiting_.empty()) {
      const object_type* next = waiting_.front();
      waiting_.pop_front();
      definitions_[names_.at(next)] = definition_of(*next, {}, {});
    }
    std::string text = of_root.substr(1, of_root.size() - 2);
    std::string document = result.text();
    document.pop_back();
    if (!text.empty()) document += ", " + text;
    if (!definitions_.empty()) {
      schema_object all;
      for (const auto& [name, json] : definitions_) all.put(name, json);
      document += ", \"$defs\": " + all.text();
    }
    return document + "}";
  }

  /// For documents with definitions of their own, such as OpenAPI's.
  std::string schema_of(const type& what, const asked_rules& asked);

 private:
  const std::string& name_of_object(const object_type& what);
  std::string definition_of(const object_type& what, std::string_view tag, std::string_view tag_value);
  std::string variant(const variant_type& what);
  std::string list(const list_type& what, const asked_rules& asked);
  std::string tuple(const tuple_type& what, const asked_rules& asked);
  std::string integer(const integer_type& what, const value_rules& asked);
  std::string real(const value_rules& asked);
  std::string text(const value_rules& asked, std::string_view format);
  static std::string enumeration(const enum_type& what);
  static void put_key_names(schema_object& to, const type& key);
  static void put_range(schema_object& to, const value_rules& asked, bool is_whole);
  static void put_length(schema_object& to, const value_rules& asked, std::string_view min,
                         std::string_view max);

  std::map<const object_type*, std::string> names_;
  std::map<std::string, int, std::less<>> used_;
  std::deque<const object_type*> waiting_;
  std::map<std::string, std::string> definitions_;
};

const std::string& schema_writer::name_of_object(const object_type& what) {
  const auto found = names_.find(&what);
  if (found != names_.end()) return found->second;
  const int before = used_[std::string(what.name)]++;
  waiting_.push_back(&what);
  std::string name(what.name);
  if (before > 0) name += "_" + std::to_string(before + 1);
  return names_.emplace(&what, std::move(name)).first->second;
}

std::string schema_writer::schema_of(const type& what, const asked_rules& asked) {
  switch (what.what) {
    case kind::boolean:
      return schema_object().put("type", "\"boolean\"").text();
    case kind::integer:
      return integer(static_cast<const integer_type&>(what), *asked.own);
    case kind::real:
      return real(*asked.own);
    case kind::text:
      return text(*asked.own, {});
    case kind::binary:
      return R"({"anyOf": [{"type": "string"}, {"type": "object", "properties": {"$bytes": {"type": "string", )"
             R"("contentEncoding": "base64", "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}(==)?|[A-Za-z0-9+/]{3}=?)?$"}}, )"
             R"("required": ["$bytes"], "additionalProperties": false}]})";
    case kind::nil:
      return schema_object().put("type", "\"null\"").text();
    case kind::enumeration:
      return enumeration(static_cast<const enum_type&>(what));
    case kind::optional: {
      const std::string held = schema_of(*static_cast<const optional_type&>(what).held, asked);
      return R"({"anyOf": [)" + held + R"(, {"type": "null"}]})";
    }
    case kind::secret: {
      std::string held = schema_of(*static_cast<const secret_type&>(what).held, asked);
      held.pop_back();
      return held + R"(, "writeOnly": true})";
    }
    case kind::list:
    case kind::set:
      return list(static_cast<const list_type&>(what), asked);
    case kind::tuple:
      return tuple(static_cast<const tuple_type&>(what), asked);
    case kind::map: {
      schema_object result;
      result.put("type", "\"object\"");
      put_key_names(result, *static_cast<const map_type&>(what).key);
      result.put("additionalProperties",
                 schema_of(*static_cast<const map_type&>(what).mapped, asked.of_element()));
      put_length(result, *asked.own, "minProperties", "maxProperties");
      return result.text();
    }
    case kind::object:
      return schema_object()
          .put("$ref", in_quotes("#/$defs/" + name_of_object(static_cast<const object_type&>(what))))
          .text();
    case kind::variant:
      return variant(static_cast<const variant_type&>(what));
    case kind::coded:
      switch (static_cast<const coded_type&>(what).means) {
        case coded_type::meaning::duration: {
          schema_object result;
          result.put("type", "\"integer\"").put("description", "\"nanoseconds\"");
          put_range(result, *asked.own, true);
          return result.text();
        }
        case coded_type::meaning::moment:
          return text({}, "date-time");
        case coded_type::meaning::anything:
          return "{}";
      }
  }
  return "{}";
}

void schema_writer::put_range(schema_object& to, const value_rules& asked, bool is_whole) {
  if (asked.low.is_set)
    to.put(asked.low.exclusive ? "exclusiveMinimum" : "minimum", number_text(asked.low, is_whole));
  if (asked.high.is_set)
    to.put(asked.high.exclusive ? "exclusiveMaximum" : "maximum", number_text(asked.high, is_whole));
  if (asked.multiple.is_set) to.put("multipleOf", number_text(asked.multiple, is_whole));
}

void schema_writer::put_length(schema_object& to, const value_rules& asked, std::string_view min,
                               std::string_view max) {
  if (asked.min_length > 0) to.put(min, std::to_string(asked.min_length));
  if (asked.max_length != no_limit) to.put(max, std::to_string(asked.max_length));
}

void schema_writer::put_key_names(schema_object& to, const type& key) {
  if (key.what == kind::integer) to.put("propertyNames", R"({"pattern": "^\\s*[+-]?[0-9]+\\s*$"})");
  if (key.what == kind::enumeration) {
    std::string names;
    const auto& all = static_cast<const enum_type&>(key);
    for (std::size_t i = 0; i < all.count; ++i) names += (i > 0 ? ", " : "") + in_quotes(all.values[i].name);
    to.put("propertyNames", "{\"enum\": [" + names + "]}");
  }
}

std::string schema_writer::integer(const integer_type& what, const value_rules& asked) {
  schema_object result;
  result.put("type", "\"integer\"");
  // The type's own ends, where the model has none that are narrower.
  value_rules shown = asked;
  if (!shown.low.is_set || shown.low.whole < least(what)) shown.low = {true, false, least(what), 0};
  if (!shown.high.is_set || shown.high.whole > greatest(what)) shown.high = {true, false, greatest(what), 0};
  put_range(result, shown, true);
  return result.text();
}

std::string schema_writer::real(const value_rules& asked) {
  schema_object result;
  result.put("type", "\"number\"");
  put_range(result, asked, false);
  if (!asked.allow_nan) return result.text();
  return R"({"anyOf": [)" + result.text() + R"(, {"enum": ["NaN", "Infinity", "-Infinity"]}]})";
}

std::string schema_writer::text(const value_rules& asked, std::string_view format) {
  schema_object result;
  result.put("type", "\"string\"");
  put_length(result, asked, "minLength", "maxLength");
  if (!asked.pattern.empty()) result.put("pattern", in_quotes(asked.pattern));
  if (format.empty()) format = name_of(asked.format);
  if (!format.empty()) result.put("format", in_quotes(format));
  return result.text();
}

std::string schema_writer::enumeration(const enum_type& what) {
  std::string names, numbers;
  for (std::size_t i = 0; i < what.count; ++i) {
    names += (i > 0 ? ", " : "") + in_quotes(what.values[i].name);
    numbers += ", " + std::to_string(what.values[i].value);
  }
  return "{\"enum\": [" + names + numbers + "]}";
}

std::string schema_writer::list(const list_type& what, const asked_rules& asked) {
  schema_object result;
  result.put("type", "\"array\"").put("items", schema_of(*what.element, asked.of_element()));
  // A set keeps equal elements once, so how many there are in the input says nothing of its size.
  if (!what.keeps_equals_once || asked.own->unique) {
    put_length(result, *asked.own, "minItems", "maxItems");
  } else if (asked.own->min_length > 0) {
    result.put("minItems", std::to_string(asked.own->min_length));
  }
  if (asked.own->unique) result.put("uniqueItems", "true");
  return result.text();
}

std::string schema_writer::tuple(const tuple_type& what, const asked_rules& asked) {
  std::string elements;
  for (std::size_t i = 0; i < what.count; ++i)
    elements += (i > 0 ? ", " : "") + schema_of(*what.element(i), asked.of_element());
  const std::string count = std::to_string(what.count);
  schema_object result;
  result.put("type", "\"array\"");
  if (what.count > 0) result.put("prefixItems", "[" + elements + "]");
  return result.put("minItems", count).put("maxItems", count).text();
}

std::string schema_writer::variant(const variant_type& what) {
  std::string alternatives;
  for (std::size_t i = 0; i < what.count; ++i) {
    const alternative& one = what.alternatives[i];
    if (i > 0) alternatives += ", ";
    alternatives += what.tag.empty()
                        ? schema_of(*one.what, {})
                        : definition_of(static_cast<const object_type&>(*one.what), what.tag, one.tag);
  }
  return schema_object().put(what.tag.empty() ? "anyOf" : "oneOf", "[" + alternatives + "]").text();
}

std::string schema_writer::definition_of(const object_type& what, std::string_view tag,
                                         std::string_view tag_value) {
  schema_object members;
  std::string required;
  const auto require = [&](std::string_view name) {
    required += (required.empty() ? "" : ", ") + in_quotes(name);
  };
  if (!tag.empty()) {
    members.put(tag, schema_object().put("const", in_quotes(tag_value)).text());
    require(tag);
  }
  for (std::size_t i = 0; i < what.count; ++i) {
    const member& one = what.members[i];
    if (one.name == tag) continue;
    std::string json = schema_of(*one.what, asked_of(one));
    if (!one.asked.title.empty()) {
      json.pop_back();
      json += (json.size() > 1 ? ", " : "") + ("\"title\": " + in_quotes(one.asked.title)) + "}";
    }
    members.put(one.name, json);
    if (what.has_model && !one.asked.defaulted && one.what->what != kind::optional) require(one.name);
  }
  schema_object result;
  result.put("type", "\"object\"").put("title", in_quotes(what.name)).put("properties", members.text());
  if (!required.empty()) result.put("required", "[" + required + "]");
  if (what.extra == extra_fields::forbid) result.put("additionalProperties", "false");
  return result.text();
}

}  // namespace

std::string write_schema(const type& what) {
  return schema_writer().document(what);
}

}  // namespace quarq::validation
