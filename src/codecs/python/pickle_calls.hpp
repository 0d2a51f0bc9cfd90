// What a pickle's calls stand for: not one of them is made, each is recognised by the name of what it calls.
#pragma once

#include <string>
#include <string_view>

#include "codecs/python/pickle_names.hpp"
#include "codecs/python/pickle_values.hpp"

namespace quarq::codecs::python {

/// One opcode at a time: what it makes, and where it stands for what is wrong with it.
class pickle_calls {
 public:
  pickle_calls(python_values& values, std::string_view what, std::uint32_t position,
               bool unknown_objects_as_exceptions)
      : values_(values), what_(what), position_(position), lenient_(unknown_objects_as_exceptions) {}

  /// What a module calls by this name. The two must live as long as the values.
  value_ref global(std::string_view module, std::string_view name);
  /// callable(*arguments), or class.__new__(class, *arguments)
  value_ref call(value_ref callable, value_ref arguments_tuple);
  /// Gives an object its members.
  void build(value_ref object, value_ref state);

 private:
  struct arguments;
  [[noreturn]] void fail(const std::string& message) const { fail_pickle(what_, position_, message); }
  [[noreturn]] void fail_arguments(const python_value& callable) const;
  std::string name_of(const python_value& callable) const;

  python_value made(value_kind kind) const;
  value_ref exception(value_ref class_, value_ref arguments_tuple);
  bool make_value(python_name name, const arguments& given, python_value& result);
  bool make_text(python_name name, const arguments& given, python_value& result);
  bool make_container(python_name name, const arguments& given, python_value& result);
  bool make_moment(python_name name, const arguments& given, python_value& result);
  bool make_date(const arguments& given, python_value& result);
  bool make_datetime(const arguments& given, python_value& result);
  bool make_time(const arguments& given, python_value& result);
  bool make_timedelta(const arguments& given, python_value& result);
  bool make_zone(const arguments& given, python_value& result);
  bool make_instance(const arguments& given, python_value& result);
  bool zone_of(const arguments& given, std::size_t index, python_value& result) const;
  bool names(value_ref value, python_name name) const;
  template <std::size_t Size>
  bool octets(value_ref value, std::array<unsigned char, Size>& bytes) const;

  python_values& values_;
  std::string_view what_;
  std::uint32_t position_;
  bool lenient_;
};

}  // namespace quarq::codecs::python
