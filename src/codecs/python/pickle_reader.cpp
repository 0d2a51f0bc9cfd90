#include <quarq/msgpack.hpp>

#include "codecs/json.hpp"
#include "codecs/python/pickle.hpp"
#include "codecs/python/pickle_machine.hpp"

namespace quarq::codecs::python {

namespace {

/// Values that are shared are repeated in msgpack. Honest data stays far below this: a list of one long
/// string again and again is two bytes each in a pickle.
constexpr std::size_t growth(std::size_t size) noexcept {
  return 64 * size + (1 << 20);
}

}  // namespace

pickle_reader::pickle_reader(pickle_options options) : machine_(std::make_unique<machine>(options)) {}
pickle_reader::~pickle_reader() = default;
pickle_reader::pickle_reader(pickle_reader&&) noexcept = default;
pickle_reader& pickle_reader::operator=(pickle_reader&&) noexcept = default;

void pickle_reader::append_msgpack(std::string& out, std::string_view data, std::string_view what,
                                   std::string* open) {
  const std::size_t before = out.size();
  try {
    const auto value = machine_->run(data, what);
    write_msgpack(out, machine_->values(), value, growth(data.size()), what,
                  machine_->options().find_zone_offset);
    if (open) *open = machine_->without_end();
  } catch (...) {
    out.resize(before);
    machine_->trim();
    throw;
  }
  machine_->trim();
}

std::string pickle_to_msgpack(std::string_view data, std::string_view what, pickle_options options) {
  std::string out;
  pickle_reader(options).append_msgpack(out, data, what);
  return out;
}

std::optional<python_exception> read_python_exception(std::string_view msgpack) {
  decoder in(msgpack, "exception");
  if (in.peek() != value_type::map || in.map() != 2) return std::nullopt;
  if (in.peek() != value_type::text || in.text() != "$exception") return std::nullopt;
  python_exception result;
  if (in.peek() != value_type::text) return std::nullopt;
  result.type = in.text();
  if (in.peek() != value_type::text || in.text() != "args" || in.peek() != value_type::array)
    return std::nullopt;
  const std::string_view arguments = in.raw();
  decoder given(arguments, "exception");
  const std::size_t count = given.array();
  if (count == 1 && given.peek() == value_type::text) {
    result.message = given.text();
  } else if (count == 1) {
    result.message = to_json(given.raw());
  } else if (count > 1) {
    result.message = to_json(arguments);
  }
  return result;
}

}  // namespace quarq::codecs::python
