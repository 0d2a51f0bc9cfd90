// The stack machine whose programs pickles are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codecs/python/pickle.hpp"
#include "codecs/python/pickle_values.hpp"

namespace quarq::codecs::python {

class pickle_reader::machine {
 public:
  explicit machine(pickle_options options) : options_(options) {}

  /// Runs the whole of `data`; the value it leaves is one of values(). Throws decode_error.
  value_ref run(std::string_view data, std::string_view what);
  python_values& values() noexcept { return values_; }
  const pickle_options& options() const noexcept { return options_; }
  /// What was run, without its last opcode and without frames, which say how long all is.
  std::string without_end() const;
  /// Gives back what an unusually large pickle needed.
  void trim();

 private:
  void start(std::string_view data, std::string_view what);
  void step(unsigned char opcode);
  void rare_step(unsigned char opcode);
  void step_of_protocol_0(unsigned char opcode);
  [[noreturn]] void fail(const std::string& message) const;
  [[noreturn]] void fail_opcode(unsigned char opcode) const;

  // What follows an opcode.
  std::string_view take(std::size_t count);
  template <std::size_t Size>
  std::uint64_t little_endian();
  std::string_view line();
  std::uint64_t number_line();
  void protocol();
  void frame();

  // The stack, of which only what lies above the latest mark can be reached.
  void push(value_ref value) { stack_.push_back(value); }
  python_value& make(value_kind kind);
  void push_made(python_value value);
  void push_chars(value_kind kind, std::string_view chars);
  void push_unescaped(std::optional<std::string> text);
  void push_integer(std::int64_t number);
  value_ref top() {
    if (stack_.size() <= floor_) fail_missing();
    return stack_.back();
  }
  value_ref pop() {
    const value_ref value = top();
    stack_.pop_back();
    return value;
  }
  [[noreturn]] void fail_missing() const;
  void mark();
  std::size_t pop_mark();
  void discard();

  void put(std::uint64_t index);
  void get(std::uint64_t index);

  void integer_line();
  void long_line();
  void real_line();
  void ascii(std::string_view chars);

  value_ref collect(value_kind kind, std::size_t first);
  void tuple(std::size_t count);
  void append(std::size_t first, value_kind to, bool pairs);

  void global(std::string_view module, std::string_view name);
  void stack_global();
  void reduce();
  void make_object(bool keywords);
  void make_marked(bool named);
  void build();
  value_ref call(value_ref callable, value_ref arguments);

  pickle_options options_;
  python_values values_;
  std::vector<value_ref> stack_;
  std::vector<std::uint32_t> marks_;  // the size of the stack when each was set
  std::vector<value_ref> memo_;
  std::vector<std::size_t> frames_;  // where they begin
  std::size_t memoized_ = 0;
  std::size_t floor_ = 0;  // the latest mark
  std::string_view data_;
  std::string_view what_;
  std::size_t position_ = 0;
  std::size_t opcode_at_ = 0;
};

}  // namespace quarq::codecs::python
