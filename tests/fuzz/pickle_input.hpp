// What must hold for every pickle: the fuzzer and the unit tests both call this.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "codecs/json.hpp"
#include "codecs/python/pickle.hpp"

namespace quarq::fuzz {

inline void require_of_pickle(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// The result of `work`, or nothing if it throws the one exception that bad input may cause.
template <class Work>
std::optional<std::string> text_unless_refused(Work work) {
  try {
    return work();
  } catch (const decode_error&) {
    return std::nullopt;
  }
}

/// Msgpack that came out of a pickle goes into one and comes back the same.
inline void try_both_ways(const std::string& msgpack) {
  const auto pickle = text_unless_refused([&] { return codecs::python::msgpack_to_pickle(msgpack, "fuzz"); });
  if (pickle)
    require_of_pickle(codecs::python::pickle_to_msgpack(*pickle, "fuzz") == msgpack,
                      "what was written is read as it was");
  text_unless_refused([&] {
    const auto exception = codecs::python::read_python_exception(msgpack);
    return exception ? exception->message : std::string();
  });
}

/// Aborts, or lets an exception out, if something does not hold for `data`.
inline void try_pickle_input(std::string_view data) {
  // An allocation of its own, so that a sanitizer sees where it ends.
  const std::string copy(data);
  const auto strict = text_unless_refused([&] { return codecs::python::pickle_to_msgpack(copy, "fuzz"); });
  codecs::python::pickle_options tolerant;
  tolerant.unknown_objects_as_exceptions = true;
  codecs::python::pickle_reader reader(tolerant);
  std::string lenient = "before";
  const auto read = text_unless_refused([&] {
    reader.append_msgpack(lenient, copy, "fuzz");
    return lenient.substr(6);
  });
  require_of_pickle(read || lenient == "before", "what is refused leaves nothing behind");
  require_of_pickle(!strict || read == strict, "what is known is read the same");
  if (!read) return;
  require_of_pickle(read->size() <= 65 * copy.size() + (1 << 20) + 64, "the result is in proportion");
  decoder in(*read);
  in.skip();
  in.finish();
  text_unless_refused([&] { return codecs::to_json(*read); });
  try_both_ways(*read);
}

}  // namespace quarq::fuzz
