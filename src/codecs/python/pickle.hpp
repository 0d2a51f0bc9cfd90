// Python's pickles of plain data as msgpack, and msgpack as pickles that Python reads. docs/payload.md has
// the table of both ways.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <quarq/msgpack.hpp>

namespace quarq::codecs::python {

/// How far the clocks of a time zone named as in the IANA database are ahead of UTC when they show `local`;
/// where they show it twice, `second_time` says which. Nothing for an unknown zone.
using zone_offset_finder = std::optional<std::chrono::seconds> (*)(std::string_view zone,
                                                                   std::chrono::local_seconds local,
                                                                   bool second_time);

struct pickle_options {
  /// Objects of classes that quarq does not know are read as exceptions of that name, with the arguments they
  /// are made of, instead of being refused: for the result of a job that failed, where nothing else can
  /// stand.
  bool unknown_objects_as_exceptions = false;
  /// For datetimes with a zoneinfo.ZoneInfo; without it only UTC is known.
  zone_offset_finder find_zone_offset = nullptr;
};

/// Reads pickles of protocols 0 to 5. It never imports, calls or builds anything: a handful of Python's
/// classes stand for values, and any other global is refused by its name. What one reading allocated, the
/// next uses again. Not thread-safe.
class pickle_reader {
 public:
  explicit pickle_reader(pickle_options options = {});
  ~pickle_reader();
  pickle_reader(pickle_reader&&) noexcept;
  pickle_reader& operator=(pickle_reader&&) noexcept;

  /// Appends to `out` the value that `data` holds, as one msgpack value. Throws quarq::decode_error:
  ///     WHAT: byte 17: unknown global os.system
  /// where the byte is that of the pickle at which the offending value begins; `out` is then as it was.
  /// Memory and time stay in proportion to data.size(), whatever it says.
  ///
  /// `open` becomes the pickle without its end, for a pickle_writer that adds to it.
  void append_msgpack(std::string& out, std::string_view data, std::string_view what,
                      std::string* open = nullptr);

 private:
  class machine;
  std::unique_ptr<machine> machine_;
};

/// The same, once.
std::string pickle_to_msgpack(std::string_view data, std::string_view what, pickle_options options = {});

/// Writes one pickle of protocol 4, value by value, for Python 3.8 and later. The string must outlive the
/// writer. Between begin_dict and end_dict stand keys and values in turn. Throws quarq::usage_error for
/// text that is not UTF-8 and for a moment beyond the years 1 to 9999. Not thread-safe.
class pickle_writer {
 public:
  explicit pickle_writer(std::string& out);
  /// Goes on with what pickle_reader left open: a dict, to which all is added that comes before end_dict. A key
  /// that it has gets a new value.
  pickle_writer(std::string& out, std::string_view open_dict);

  void none();
  void boolean(bool value);
  void integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  void real(double value);
  void text(std::string_view value);
  void binary(std::string_view value);
  /// A datetime in UTC; what is finer than microseconds is cut off.
  void time(timestamp value);
  void begin_tuple();
  void end_tuple();
  void begin_list();
  void end_list();
  void begin_dict();
  void end_dict();

  /// An exception that Python raises when somebody asks for the job's result. `type` is a name of Python's
  /// ("ValueError", "asyncio.CancelledError", "arq.worker.JobExecutionFailed") or of C++
  /// ("std::invalid_argument", "quarq::timed_out"); one that has no counterpart becomes
  /// RuntimeError("type: message"). Bytes of the message that are not UTF-8 become U+FFFD.
  void exception(std::string_view type, std::string_view message);

  /// One msgpack value. Throws decode_error, which begins with `what`, if it is not one, or holds what
  /// Python's pickles can't: an extension, a map as a key.
  void msgpack(std::string_view value, std::string_view what);
  /// The same of an array, as a tuple: a job's positional arguments.
  void msgpack_as_tuple(std::string_view array, std::string_view what);

  /// Ends the pickle.
  void finish();

 private:
  class transcoder;
  template <std::size_t Bytes>
  void little_endian(std::uint64_t value);
  void sized(std::string_view value, char head8, char head32, char head64);
  void global(std::string_view module, std::string_view name);

  std::string& out_;
};

/// One msgpack value as a whole pickle; throws as pickle_writer::msgpack does.
std::string msgpack_to_pickle(std::string_view value, std::string_view what);

/// An exception of Python's as pickle_reader writes it to msgpack.
struct python_exception {
  std::string type;     ///< "ValueError", "arq.worker.JobExecutionFailed"
  std::string message;  ///< what str() of it shows, where that can be told: its one argument, or all as JSON
};

/// Nothing if `msgpack` is any other value.
std::optional<python_exception> read_python_exception(std::string_view msgpack);

}  // namespace quarq::codecs::python
