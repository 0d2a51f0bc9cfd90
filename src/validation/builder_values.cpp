// The builder's scalars: each into its place, checked.
#include <cmath>
#include <limits>

#include <quarq/bytes.hpp>
#include <quarq/errors.hpp>

#include "codecs/base64.hpp"
#include "codecs/iso8601.hpp"
#include "codecs/utf8.hpp"
#include "validation/builder.hpp"
#include "validation/conversion.hpp"

namespace quarq::validation {

namespace {

/// What JSON says for a number that it does not have.
bool is_special_number(std::string_view text) {
  return text == "NaN" || text == "Infinity" || text == "-Infinity";
}

std::string kinds_of(const variant_type& what) {
  unsigned all = 0;
  for (std::size_t i = 0; i < what.count; ++i) all |= what.alternatives[i].what->json;
  std::vector<std::string_view> names;
  if ((all & json_null) != 0) names.push_back("null");
  if ((all & json_boolean) != 0) names.push_back("a boolean");
  if ((all & json_number) != 0) names.push_back("a number");
  if ((all & json_text) != 0) names.push_back("a string");
  if ((all & json_array) != 0) names.push_back("a list");
  if ((all & json_object) != 0) names.push_back("an object");
  return listed(names, false);
}

}  // namespace

void builder::add_type_error(const type& what) {
  switch (what.what) {
    case kind::boolean:
      return errors_.add(error_kind::bool_type);
    case kind::integer:
      return errors_.add(error_kind::int_type);
    case kind::real:
      return errors_.add(error_kind::float_type);
    case kind::text:
      return errors_.add(error_kind::string_type);
    case kind::binary:
      return errors_.add(error_kind::bytes_type);
    case kind::nil:
      return errors_.add(error_kind::none_required);
    case kind::enumeration:
      return errors_.add(error_kind::enum_value, names_of(static_cast<const enum_type&>(what)));
    case kind::list:
      return errors_.add(error_kind::list_type);
    case kind::set: {
      const bool is_set = static_cast<const list_type&>(what).keeps_equals_once;
      return errors_.add(is_set ? error_kind::set_type : error_kind::list_type);
    }
    case kind::tuple: {
      const std::size_t count = static_cast<const tuple_type&>(what).count;
      return errors_.add(error_kind::tuple_type, count, plural(count));
    }
    case kind::map:
      return errors_.add(error_kind::dict_type);
    case kind::object:
      return errors_.add(error_kind::model_type, static_cast<const object_type&>(what).name);
    case kind::variant: {
      const auto& variant = static_cast<const variant_type&>(what);
      if (!variant.tag.empty()) return errors_.add(error_kind::union_tag_not_found, variant.tag);
      return errors_.add(error_kind::union_type, kinds_of(variant));
    }
    case kind::coded:
      switch (static_cast<const coded_type&>(what).means) {
        case coded_type::meaning::duration:
          return errors_.add(error_kind::time_delta_type);
        case coded_type::meaning::moment:
          return errors_.add(error_kind::datetime_type);
        case coded_type::meaning::anything:
          return errors_.add(error_kind::coded_value, "Input is not valid");
      }
      return;
    case kind::optional:
    case kind::secret:
      return;  // resolve() has gone through them
  }
}

bool builder::integer(std::int64_t value) {
  if (is_recording()) {
    recording_->integer(value);
    return true;
  }
  return put_integer(value);
}

bool builder::unsigned_integer(std::uint64_t value) {
  if (is_recording()) {
    recording_->unsigned_integer(value);
    return true;
  }
  return put_integer(value);
}

bool builder::put_integer(wide_integer value) {
  if (skips()) return true;
  slot s = next_slot();
  if (s.what == nullptr || !resolve(s, json_number)) return done();
  return put_number(s, value);
}

bool builder::put_number(slot& s, wide_integer value) {
  const std::size_t before = errors_.size();
  switch (s.what->what) {
    case kind::integer: {
      const auto& what = static_cast<const integer_type&>(*s.what);
      if (value < least(what) || value > greatest(what)) {
        errors_.add(error_kind::int_out_of_range, digits_of(least(what)), digits_of(greatest(what)));
      } else {
        store(what, s.target, value);
        if (s.asked.own->any) check_integer(*s.asked.own, value, errors_);
      }
      return finish(s, before);
    }
    case kind::real:
      return put_real(s, static_cast<double>(value));
    case kind::enumeration: {
      const auto& what = static_cast<const enum_type&>(*s.what);
      for (std::size_t i = 0; i < what.count; ++i) {
        if (what.values[i].value != value) continue;
        what.set(s.target, what.values[i].value);
        return finish(s, before);
      }
      return refuse(what);
    }
    case kind::coded: {
      const auto& what = static_cast<const coded_type&>(*s.what);
      if (what.means == coded_type::meaning::moment) return refuse(what);
      if (what.means == coded_type::meaning::duration && s.asked.own->any)
        check_integer(*s.asked.own, value, errors_);
      return put_coded_as(s, [&](encoder& out) {
        if (value < 0) {
          out.integer(static_cast<std::int64_t>(value));
        } else {
          out.unsigned_integer(static_cast<std::uint64_t>(value));
        }
      });
    }
    default:
      return refuse(*s.what);
  }
}

bool builder::put_real(slot& s, double value) {
  const std::size_t before = errors_.size();
  const auto& what = static_cast<const real_type&>(*s.what);
  if (what.size == sizeof(double)) {
    *static_cast<double*>(s.target) = value;
  } else {
    // What rounds to the greatest float is in its range, too.
    constexpr double beyond = 0x1.ffffffp127;
    if (std::isfinite(value) && std::abs(value) >= beyond) {
      errors_.add(error_kind::float_out_of_range);
      return finish(s, before);
    }
    *static_cast<float*>(s.target) = static_cast<float>(value);
  }
  if (s.asked.own->any || !std::isfinite(value)) check_real(*s.asked.own, value, errors_);
  return finish(s, before);
}

bool builder::real(double value, std::string_view digits) {
  if (is_recording()) {
    recording_->real(value, digits);
    return true;
  }
  if (skips()) return true;
  slot s = next_slot();
  if (s.what == nullptr || !resolve(s, json_number)) return done();
  switch (s.what->what) {
    case kind::real:
      return put_real(s, value);
    case kind::integer: {
      const bool is_whole = !digits.empty() && digits.find_first_of(".eE") == std::string_view::npos;
      errors_.add(is_whole                                             ? error_kind::int_parsing_size
                  : std::isfinite(value) && value != std::floor(value) ? error_kind::int_from_float
                                                                       : error_kind::int_type);
      finish_pending(false);
      return done();
    }
    case kind::coded:
      if (static_cast<const coded_type&>(*s.what).means != coded_type::meaning::anything)
        return refuse(*s.what);
      return put_coded_as(s, [&](encoder& out) { out.real(value); });
    default:
      return refuse(*s.what);
  }
}

bool builder::boolean(bool value) {
  if (is_recording()) {
    recording_->boolean(value);
    return true;
  }
  if (skips()) return true;
  slot s = next_slot();
  if (s.what == nullptr || !resolve(s, json_boolean)) return done();
  if (s.what->what == kind::boolean) {
    *static_cast<bool*>(s.target) = value;
    return finish(s, errors_.size());
  }
  const bool by_codec = s.what->what == kind::coded &&
                        static_cast<const coded_type&>(*s.what).means == coded_type::meaning::anything;
  return by_codec ? put_coded_as(s, [&](encoder& out) { out.boolean(value); }) : refuse(*s.what);
}

bool builder::null() {
  if (is_recording()) {
    recording_->null();
    return true;
  }
  if (skips()) return true;
  slot s = next_slot();
  if (s.what == nullptr || !resolve(s, json_null)) return done();
  if (s.what->what == kind::nil) return finish(s, errors_.size());
  const bool by_codec = s.what->what == kind::coded &&
                        static_cast<const coded_type&>(*s.what).means == coded_type::meaning::anything;
  return by_codec ? put_coded_as(s, [&](encoder& out) { out.nil(); }) : refuse(*s.what);
}

bool builder::text(std::string_view value) {
  if (is_recording()) {
    recording_->text(value);
    return true;
  }
  if (skips()) return true;
  if (!frames_.empty() && frames_.back().in == frame::state::tag_value) {
    const frame f = frames_.back();
    frames_.pop_back();
    choose_alternative({f.what, f.target, f.asked, f.is_secret}, value);
    // It may be a member of the alternative, too.
    if (!skips()) {
      key(f.what == nullptr ? std::string_view() : static_cast<const variant_type&>(*f.what).tag);
      return text(value);
    }
    return done();
  }
  if (!frames_.empty() && frames_.back().in == frame::state::bytes_object) {
    frame& f = frames_.back();
    const auto data = f.index == 0 ? codecs::from_base64(value) : std::nullopt;
    f.index = data ? 2 : 1;
    if (!data) return true;
    const slot s{f.what, f.target, f.asked, f.is_secret};
    return put_bytes(s, *data);
  }
  slot s = next_slot();
  if (s.what == nullptr) return true;
  // In texts, nothing is null.
  if (value.empty() && s.what->what == kind::optional && is_lax(s) && (s.what->json & json_text) == 0) {
    resolve(s, json_null);
    return done();
  }
  if (!resolve(s, json_text)) return done();
  return put_text(s, value);
}

bool builder::put_text(slot& s, std::string_view value) {
  const std::size_t before = errors_.size();
  switch (s.what->what) {
    case kind::text:
      if (lax_ && !codecs::is_utf8(value)) {
        errors_.add(error_kind::string_unicode);
        return finish(s, before);
      }
      static_cast<std::string*>(s.target)->assign(value);
      if (s.asked.own->any) check_text(s.asked, value, errors_);
      return finish(s, before);
    case kind::binary:
      put_bytes(s, value);
      return finish(s, before);
    case kind::enumeration:
      return put_named(s, value);
    case kind::coded: {
      const auto means = static_cast<const coded_type&>(*s.what).means;
      if (means == coded_type::meaning::duration) return is_lax(s) ? convert(s, value) : refuse(*s.what);
      if (means == coded_type::meaning::moment && !codecs::from_iso8601(value)) {
        errors_.add(error_kind::datetime_parsing);
        return finish(s, before);
      }
      return put_coded_as(s, [&](encoder& out) { out.text(value); });
    }
    case kind::real:
      if (s.asked.own->allow_nan && is_special_number(value))
        return put_real(s, value == "NaN"    ? std::numeric_limits<double>::quiet_NaN()
                           : value[0] == '-' ? -std::numeric_limits<double>::infinity()
                                             : std::numeric_limits<double>::infinity());
      return is_lax(s) ? convert(s, value) : refuse(*s.what);
    default:
      return is_lax(s) ? convert(s, value) : refuse(*s.what);
  }
}

bool builder::put_named(const slot& s, std::string_view name) {
  const auto& what = static_cast<const enum_type&>(*s.what);
  for (std::size_t i = 0; i < what.count; ++i) {
    if (what.values[i].name != name) continue;
    what.set(s.target, what.values[i].value);
    return finish(s, errors_.size());
  }
  return refuse(what);
}

/// Text for what is no text.
bool builder::convert(slot& s, std::string_view text) {
  const std::size_t before = errors_.size();
  switch (s.what->what) {
    case kind::boolean: {
      const auto value = bool_from_text(text);
      if (!value) {
        errors_.add(error_kind::bool_parsing);
      } else {
        *static_cast<bool*>(s.target) = *value;
      }
      return finish(s, before);
    }
    case kind::integer: {
      wide_integer value = 0;
      const auto fault = integer_from_text(text, value);
      if (fault == integer_fault::none) return put_number(s, value);
      errors_.add(fault == integer_fault::size ? error_kind::int_parsing_size : error_kind::int_parsing);
      return finish(s, before);
    }
    case kind::real: {
      const auto value = real_from_text(text);
      if (value) return put_real(s, *value);
      errors_.add(error_kind::float_parsing);
      return finish(s, before);
    }
    case kind::coded: {
      const auto value = duration_from_text(text);
      if (value) return put_number(s, *value);
      errors_.add(error_kind::time_delta_parsing);
      return finish(s, before);
    }
    default:
      return refuse(*s.what);
  }
}

bool builder::put_bytes(const slot& s, std::string_view value) {
  *static_cast<bytes*>(s.target) = to_bytes(value);
  if (s.asked.own->any)
    check_length(*s.asked.own, value.size(), error_kind::bytes_too_short, error_kind::bytes_too_long,
                 errors_);
  return done();
}

bool builder::put_coded(const slot& s, std::string_view encoded) {
  const std::size_t before = errors_.size();
  const auto& what = static_cast<const coded_type&>(*s.what);
  try {
    decoder in(encoded);
    what.decode(s.target, in);
  } catch (const decode_error& e) {
    // A codec's message may show the value.
    errors_.add(error_kind::coded_value, s.is_secret ? "Input is not valid" : e.what());
  }
  return finish(s, before);
}

bool builder::binary(std::string_view value) {
  if (is_recording()) {
    recording_->binary(value);
    return true;
  }
  if (skips()) return true;
  slot s = next_slot();
  if (s.what == nullptr || !resolve(s, json_object)) return done();
  const std::size_t before = errors_.size();
  if (s.what->what == kind::coded) return put_coded_as(s, [&](encoder& out) { out.binary(value); });
  if (s.what->what != kind::binary) return refuse(*s.what);
  put_bytes(s, value);
  return finish(s, before);
}

bool builder::raw(std::string_view encoded) {
  if (is_recording()) {
    recording_->raw(encoded);
    return true;
  }
  if (skips()) return true;
  slot s = next_slot();
  if (s.what == nullptr || !resolve(s, json_text)) return done();
  if (s.what->what == kind::coded) return put_coded(s, encoded);
  return refuse(*s.what);
}

}  // namespace quarq::validation
