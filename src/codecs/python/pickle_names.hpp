// The classes and functions that a pickle may name: those that stand for plain values, and exceptions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace quarq::codecs::python {

enum class python_name : std::uint8_t {
  unknown,
  exception,
  plain_class,  // list, dict, int …: data only as what a defaultdict makes
  object,
  set,
  frozenset,
  bytes,
  bytearray,
  getattr,        // only of zoneinfo.ZoneInfo._unpickle
  encode,         // bytes, before protocol 3
  reconstructor,  // instances, before protocol 2
  datetime,
  date,
  time,
  timedelta,
  timezone,
  zone_info,
  zone_info_unpickle,
  uuid,
  decimal,
  ordered_dict,
  default_dict,
};

python_name find_python_name(std::string_view module, std::string_view name) noexcept;

/// "ValueError" of a builtin, also under its module's name in Python 2; "arq.worker.Retry" of others.
std::string qualified_name(std::string_view module, std::string_view name);

/// An exception of Python's, and whether it takes a message.
struct python_class {
  std::string_view module, name;
  bool takes_message = true;
};

/// What stands for the exception `type`, a name of Python's or C++'s, in Python 3.8 and later: only classes
/// which can be made from one message, or none, and whose raising does no harm to a program. An empty name if
/// there is none.
python_class exception_for(std::string_view type) noexcept;

}  // namespace quarq::codecs::python
