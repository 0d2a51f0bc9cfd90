// What travels alongside encoded bytes between processes of one program: open files and large values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq::detail {

/// The attachments of one call to a process, or of its answer, which its encoder and decoder use: values may
/// then hold files (encoder::file, decoder::file), and text and bytes of at least `big_value` bytes go
/// through shared memory. Not thread-safe.
class attachments {
 public:
  /// Text and bytes of at least this size are attached.
  static constexpr std::size_t big_value = 64 * 1024;
  /// The most files of one call or answer.
  static constexpr std::size_t max_files = 250;

  /// The msgpack extension types that refer to attachments. (Types below 0 are not for applications.)
  static constexpr std::int8_t file_type = -100;
  static constexpr std::int8_t text_type = -101;
  static constexpr std::int8_t binary_type = -102;

  virtual ~attachments() = default;

  // While writing.

  /// Copies these bytes; returns their position.
  virtual std::uint64_t add(std::string_view data) = 0;
  /// Duplicates this descriptor; returns its number. Throws usage_error if there are too many files, or if
  /// it is not a descriptor.
  virtual std::uint32_t add_file(int descriptor) = 0;

  // While reading.

  /// The bytes at this position, valid until the call or answer has been read; a null view if there are none.
  virtual std::string_view find(std::uint64_t place, std::uint64_t size) = 0;
  /// Hands over the descriptor with this number, which the caller must close; -1 if it is not there.
  virtual int take_file(std::uint32_t number) = 0;
};

}  // namespace quarq::detail
