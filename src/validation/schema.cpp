#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <utility>

#include <quarq/detail/model_engine.hpp>

#include "codecs/json_text.hpp"
#include "validation/formats.hpp"
#include "validation/schema_writer.hpp"

namespace quarq::validation {

namespace {

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
    text_ += codecs::json_string(name);
    text_ += ": ";
    text_ += json;
    return *this;
  }
  std::string text() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

// A schema with one member more.
std::string with(std::string schema, std::string_view name, std::string_view json) {
  schema.pop_back();
  if (schema.size() > 1) schema += ", ";
  return schema + codecs::json_string(name) + ": " + std::string(json) + "}";
}

// A name for a reference may have few characters.
std::string plain_name(std::string_view name) {
  std::string plain(name);
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  std::replace_if(plain.begin(), plain.end(), std::not_fn(is_plain), '_');
  return plain;
}

void put_range(schema_object& to, const value_rules& asked, bool is_whole) {
  if (asked.low.is_set)
    to.put(asked.low.exclusive ? "exclusiveMinimum" : "minimum", number_text(asked.low, is_whole));
  if (asked.high.is_set)
    to.put(asked.high.exclusive ? "exclusiveMaximum" : "maximum", number_text(asked.high, is_whole));
  if (asked.multiple.is_set) to.put("multipleOf", number_text(asked.multiple, is_whole));
}

void put_length(schema_object& to, const value_rules& asked, std::string_view min, std::string_view max) {
  if (asked.min_length > 0) to.put(min, std::to_string(asked.min_length));
  if (asked.max_length != no_limit) to.put(max, std::to_string(asked.max_length));
}

// What texts are converted; a schema can't say which range the numbers in them have.
constexpr std::string_view boolean_texts =
    R"(^[ \t\r\n]*([Tt]([Rr][Uu][Ee])?|[Yy]([Ee][Ss])?|[Oo][Nn]|1|[Ff]([Aa][Ll][Ss][Ee])?|[Nn][Oo]?|)"
    R"([Oo][Ff][Ff]|0)[ \t\r\n]*$)";
constexpr std::string_view integer_texts = R"(^[ \t\r\n]*[+-]?[0-9]+[ \t\r\n]*$)";
constexpr std::string_view real_texts =
    R"(^[ \t\r\n]*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t\r\n]*$)";
constexpr std::string_view duration_texts =
    R"(^[ \t\r\n]*([+-]?[0-9]+|-?([0-9]+(ns|us|ms|s|m|h|d))+)[ \t\r\n]*$)";

std::string pattern_schema(std::string_view texts) {
  return schema_object().put("type", "\"string\"").put("pattern", codecs::json_string(texts)).text();
}

// The schema of a value, or of a text that is converted to it if the member is lax.
std::string or_text(std::string schema, const value_rules& asked, std::string_view texts) {
  if (!asked.lax || asked.strict) return schema;
  return R"({"anyOf": [)" + schema + ", " + pattern_schema(texts) + "]}";
}

void put_key_names(schema_object& to, const type& key) {
  if (key.what == kind::integer) to.put("propertyNames", pattern_schema(integer_texts));
  if (key.what == kind::boolean) to.put("propertyNames", pattern_schema(boolean_texts));
  if (key.what == kind::enumeration) {
    std::string names;
    const auto& all = static_cast<const enum_type&>(key);
    for (std::size_t i = 0; i < all.count; ++i)
      names += (i > 0 ? ", " : "") + codecs::json_string(all.values[i].name);
    to.put("propertyNames", "{\"enum\": [" + names + "]}");
  }
}

std::string enumeration_schema(const enum_type& what) {
  std::string names, numbers;
  for (std::size_t i = 0; i < what.count; ++i) {
    names += (i > 0 ? ", " : "") + codecs::json_string(what.values[i].name);
    numbers += ", " + std::to_string(what.values[i].value);
  }
  return "{\"enum\": [" + names + numbers + "]}";
}

// The type's own ends, where the model has none that are narrower.
void put_whole_range(schema_object& to, const value_rules& asked, wide_integer least, wide_integer greatest) {
  value_rules shown = asked;
  if (!shown.low.is_set || shown.low.whole < least) shown.low = {true, false, least, 0};
  if (!shown.high.is_set || shown.high.whole > greatest) shown.high = {true, false, greatest, 0};
  put_range(to, shown, true);
}

std::string integer_schema(const integer_type& what, const value_rules& asked) {
  schema_object result;
  result.put("type", "\"integer\"");
  put_whole_range(result, asked, least(what), greatest(what));
  return or_text(result.text(), asked, integer_texts);
}

std::string duration_schema(const value_rules& asked) {
  using limits = std::numeric_limits<std::int64_t>;
  schema_object result;
  result.put("type", "\"integer\"").put("description", "\"nanoseconds\"");
  put_whole_range(result, asked, limits::min(), limits::max());
  return or_text(result.text(), asked, duration_texts);
}

std::string real_schema(const real_type& what, const value_rules& asked) {
  value_rules shown = asked;
  if (what.size == sizeof(float)) {
    // What rounds to the greatest float is in its range, too.
    constexpr double beyond = 0x1.ffffffp127;
    if (!shown.low.is_set) shown.low = {true, true, 0, -beyond};
    if (!shown.high.is_set) shown.high = {true, true, 0, beyond};
  }
  schema_object result;
  result.put("type", "\"number\"");
  put_range(result, shown, false);
  const std::string schema = or_text(result.text(), asked, real_texts);
  if (!asked.allow_nan) return schema;
  return R"({"anyOf": [)" + schema + R"(, {"enum": ["NaN", "Infinity", "-Infinity"]}]})";
}

std::string text_schema(const value_rules& asked, std::string_view format) {
  schema_object result;
  result.put("type", "\"string\"");
  put_length(result, asked, "minLength", "maxLength");
  if (!asked.pattern.empty()) result.put("pattern", codecs::json_string(asked.pattern));
  if (format.empty()) format = name_of(asked.format);
  if (!format.empty()) result.put("format", codecs::json_string(format));
  return result.text();
}

}  // namespace

schema_writer::schema_writer(std::string prefix, const std::vector<std::string>& taken)
    : prefix_(std::move(prefix)) {
  for (const auto& name : taken) ++used_[name];
}

std::string schema_writer::of(const type& what) {
  return schema_of(what, {});
}

std::string schema_writer::of_struct(std::string_view name, make_schema make) {
  return reference_to(reinterpret_cast<const void*>(make), name, [this, make] { return make(*this); });
}

std::string schema_writer::reference_to(const void* which, std::string_view name,
                                        std::function<std::string()> make) {
  auto found = names_.find(which);
  if (found == names_.end()) {
    auto plain = plain_name(name);
    const int before = used_[plain]++;
    if (before > 0) plain += "_" + std::to_string(before + 1);
    waiting_.emplace_back(plain, std::move(make));
    found = names_.emplace(which, std::move(plain)).first;
  }
  return schema_object().put("$ref", codecs::json_string(prefix_ + found->second)).text();
}

std::string schema_writer::definitions() {
  while (!waiting_.empty()) {
    const auto [name, make] = std::move(waiting_.front());
    waiting_.pop_front();
    definitions_[name] = make();
  }
  schema_object all;
  for (const auto& [name, json] : definitions_) all.put(name, json);
  return all.text();
}

std::string schema_writer::schema_of(const type& what, const asked_rules& asked) {
  switch (what.what) {
    case kind::boolean:
      return or_text(schema_object().put("type", "\"boolean\"").text(), *asked.own, boolean_texts);
    case kind::integer:
      return integer_schema(static_cast<const integer_type&>(what), *asked.own);
    case kind::real:
      return real_schema(static_cast<const real_type&>(what), *asked.own);
    case kind::text:
      return text_schema(*asked.own, {});
    case kind::binary:
      return R"({"anyOf": [{"type": "string"}, {"type": "object", "properties": {"$bytes": {"type": "string", )"
             R"("contentEncoding": "base64", "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}(==)?|[A-Za-z0-9+/]{3}=?)?$"}}, )"
             R"("required": ["$bytes"], "additionalProperties": false}]})";
    case kind::nil:
      return schema_object().put("type", "\"null\"").text();
    case kind::enumeration:
      return enumeration_schema(static_cast<const enum_type&>(what));
    case kind::optional: {
      const std::string held = schema_of(*static_cast<const optional_type&>(what).held, asked);
      const bool empty_is_null = asked.own->lax && !asked.own->strict && (what.json & json_text) == 0;
      return R"({"anyOf": [)" + held + (empty_is_null ? R"(, {"const": ""})" : "") +
             R"(, {"type": "null"}]})";
    }
    case kind::secret:
      return with(schema_of(*static_cast<const secret_type&>(what).held, asked), "writeOnly", "true");
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
    case kind::object: {
      const auto& object = static_cast<const object_type&>(what);
      return reference_to(&object, object.name, [this, &object] { return definition_of(object, {}, {}); });
    }
    case kind::variant:
      return variant(static_cast<const variant_type&>(what));
    case kind::coded:
      switch (static_cast<const coded_type&>(what).means) {
        case coded_type::meaning::duration:
          return duration_schema(*asked.own);
        case coded_type::meaning::moment:
          return text_schema({}, "date-time");
        case coded_type::meaning::anything:
          return "{}";
      }
  }
  return "{}";
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

// With a tag, each alternative is a struct that says so, whatever it is elsewhere.
std::string schema_writer::variant(const variant_type& what) {
  std::string alternatives;
  for (std::size_t i = 0; i < what.count; ++i) {
    const alternative& one = what.alternatives[i];
    if (i > 0) alternatives += ", ";
    if (what.tag.empty()) {
      alternatives += schema_of(*one.what, {});
    } else {
      const auto& object = static_cast<const object_type&>(*one.what);
      alternatives += reference_to(&one, object.name, [this, &object, &one, tag = what.tag] {
        return definition_of(object, tag, one.tag);
      });
    }
  }
  return schema_object().put(what.tag.empty() ? "anyOf" : "oneOf", "[" + alternatives + "]").text();
}

std::string schema_writer::definition_of(const object_type& what, std::string_view tag,
                                         std::string_view tag_value) {
  schema_object members;
  std::string required;
  const auto require = [&](std::string_view name) {
    required += (required.empty() ? "" : ", ") + codecs::json_string(name);
  };
  if (!tag.empty()) {
    members.put(tag, schema_object().put("const", codecs::json_string(tag_value)).text());
    require(tag);
  }
  for (std::size_t i = 0; i < what.count; ++i) {
    const member& one = what.members[i];
    if (one.name == tag) continue;
    std::string json = schema_of(*one.what, asked_of(one));
    if (!one.asked.title.empty()) json = with(std::move(json), "title", codecs::json_string(one.asked.title));
    members.put(one.name, json);
    if (what.has_model && !one.asked.defaulted && one.what->what != kind::optional) require(one.name);
  }
  schema_object result;
  result.put("type", "\"object\"")
      .put("title", codecs::json_string(what.name))
      .put("properties", members.text());
  if (!required.empty()) result.put("required", "[" + required + "]");
  if (what.extra == extra_fields::forbid) result.put("additionalProperties", "false");
  return result.text();
}

std::string write_schema(const type& what) {
  schema_writer writer("#/$defs/");
  // An object by itself is the root and a definition, which others may refer to.
  const std::string root = writer.of(what);
  const std::string definitions = writer.definitions();
  std::string document = R"({"$schema": "https://json-schema.org/draft/2020-12/schema")";
  if (root != "{}") document += ", " + root.substr(1, root.size() - 2);
  if (definitions != "{}") document += ", \"$defs\": " + definitions;
  return document + "}";
}

}  // namespace quarq::validation
