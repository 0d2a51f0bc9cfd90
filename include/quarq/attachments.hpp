// What travels beside encoded bytes, between processes of one program: open files and big values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace quarq::detail {

/// A call to a process, or its answer, has one; an encoder and a decoder made with it know of it. Values then
/// may hold what bytes alone can't: encoder::file() and decoder::file(). Text and bytes of at least
/// `big_value` go through shared memory by themselves. Not thread-safe.
class attachments {
 public:
  /// From this many bytes on, text and bytes are put beside the others.
  static constexpr std::size_t big_value = 64 * 1024;
  /// The most files of one call or answer.
  static constexpr std::size_t max_files = 250;

  /// Extension types of msgpack (those below 0 are not for applications) that stand for what is here.
  static constexpr std::int8_t file_type = -100;
  static constexpr std::int8_t text_type = -101;
  static constexpr std::int8_t binary_type = -102;

  virtual ~attachments() = default;

  // While writing.

  /// Takes a copy of these bytes; returns their place.
  virtual std::uint64_t add(std::string_view data) = 0;
  /// Takes a duplicate of this descriptor; returns its number. Throws invalid_argument if there are too many
  /// or it is none.
  virtual std::uint32_t add_file(int descriptor) = 0;

  // While reading.

  /// The bytes at this place, valid until the call or answer has been read; nothing (a null view) if there
  /// are none.
  virtual std::string_view find(std::uint64_t place, std::uint64_t size) = 0;
  /// The descriptor with this number, once: the caller owns it from now on. -1 if it is not there.
  virtual int take_file(std::uint32_t number) = 0;
};

}  // namespace quarq::detail
