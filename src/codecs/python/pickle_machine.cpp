#include "codecs/python/pickle_machine.hpp"

#include <bit>
#include <charconv>
#include <cstdio>
#include <limits>

#include <quarq/errors.hpp>

#include "codecs/python/pickle_calls.hpp"
#include "codecs/python/pickle_text.hpp"
#include "codecs/utf8.hpp"

namespace quarq::codecs::python {

namespace {

/// Opcodes that have no letter.
namespace op {
constexpr unsigned char proto = 0x80, newobj = 0x81, ext1 = 0x82, ext2 = 0x83, ext4 = 0x84, tuple1 = 0x85,
                        tuple2 = 0x86, tuple3 = 0x87, newtrue = 0x88, newfalse = 0x89, long1 = 0x8a,
                        long4 = 0x8b, short_binunicode = 0x8c, binunicode8 = 0x8d, binbytes8 = 0x8e,
                        empty_set = 0x8f, additems = 0x90, frozenset = 0x91, newobj_ex = 0x92,
                        stack_global = 0x93, memoize = 0x94, frame = 0x95, bytearray8 = 0x96,
                        next_buffer = 0x97, readonly_buffer = 0x98;
}  // namespace op

constexpr std::size_t kept_values = 1 << 14;  // after a reading, for the next one

template <class T>
void trim_to(std::vector<T>& vector, std::size_t size) {
  if (vector.capacity() <= size) return;
  vector.clear();
  vector.shrink_to_fit();
}

}  // namespace

value_ref pickle_reader::machine::run(std::string_view data, std::string_view what) {
  start(data, what);
  while (true) {
    opcode_at_ = position_;
    if (position_ == data_.size()) fail("the pickle ends before its end is said");
    const auto opcode = static_cast<unsigned char>(data_[position_++]);
    if (opcode == '.') break;
    step(opcode);
  }
  const value_ref result = pop();
  opcode_at_ = position_;
  if (position_ != data_.size())
    fail(std::to_string(data_.size() - position_) + " bytes are left over after the value");
  return result;
}

void pickle_reader::machine::start(std::string_view data, std::string_view what) {
  data_ = data;
  what_ = what;
  position_ = opcode_at_ = 0;
  values_.clear();
  stack_.clear();
  marks_.clear();
  memo_.clear();
  frames_.clear();
  memoized_ = floor_ = 0;
  if (data.size() > std::numeric_limits<std::int32_t>::max())
    fail("a pickle of " + std::to_string(data.size()) + " bytes is too long");
}

std::string pickle_reader::machine::without_end() const {
  constexpr std::size_t frame_size = 9;
  std::string open;
  open.reserve(data_.size());
  std::size_t from = 0;
  for (const auto at : frames_) {
    open += data_.substr(from, at - from);
    from = at + frame_size;
  }
  return open += data_.substr(from, data_.size() - 1 - from);
}

void pickle_reader::machine::trim() {
  trim_to(values_.values, kept_values);
  trim_to(values_.links, kept_values);
  trim_to(values_.names, kept_values);
  trim_to(stack_, kept_values);
  trim_to(marks_, kept_values);
  trim_to(memo_, kept_values);
  trim_to(frames_, kept_values);
  values_.unescaped.clear();
}

/// What protocols from 2 on are made of.
void pickle_reader::machine::step(unsigned char opcode) {
  switch (opcode) {
    case op::memoize:
      return put(memoized_);
    case op::short_binunicode:
      return push_chars(value_kind::text, take(little_endian<1>()));
    case 'X':
      return push_chars(value_kind::text, take(little_endian<4>()));
    case 'h':
      return get(little_endian<1>());
    case 'q':
      return put(little_endian<1>());
    case 'K':
      return push_integer(static_cast<std::int64_t>(little_endian<1>()));
    case 'M':
      return push_integer(static_cast<std::int64_t>(little_endian<2>()));
    case 'J':
      return push_integer(static_cast<std::int32_t>(little_endian<4>()));
    case op::long1:
      return push_made(integer_from_bytes(take(little_endian<1>())));
    case 'G':
      make(value_kind::real).real = std::bit_cast<double>(__builtin_bswap64(little_endian<8>()));
      return;
    case 'N':
      return push(python_values::none);
    case op::newtrue:
      return push(python_values::true_);
    case op::newfalse:
      return push(python_values::false_);
    case '(':
      return mark();
    case '}':
      make(value_kind::dict);
      return;
    case 'u':
      return append(pop_mark(), value_kind::dict, true);
    case 's':
      return append(stack_.size() - 2, value_kind::dict, true);
    case ']':
      make(value_kind::list);
      return;
    case 'e':
      return append(pop_mark(), value_kind::list, false);
    case 'a':
      return append(stack_.size() - 1, value_kind::list, false);
    case ')':
      make(value_kind::tuple);
      return;
    case op::tuple1:
    case op::tuple2:
    case op::tuple3:
      return tuple(opcode - op::tuple1 + 1u);
    case 't':
      return push(collect(value_kind::tuple, pop_mark()));
    case op::frame:
      return frame();
    case op::proto:
      return protocol();
    default:
      return rare_step(opcode);
  }
}

void pickle_reader::machine::rare_step(unsigned char opcode) {
  switch (opcode) {
    case 'j':
      return get(little_endian<4>());
    case 'r':
      return put(little_endian<4>());
    case op::long4:
      return push_made(integer_from_bytes(take(little_endian<4>())));
    case op::binunicode8:
      return push_chars(value_kind::text, take(little_endian<8>()));
    case 'C':
      return push_chars(value_kind::bytes, take(little_endian<1>()));
    case 'B':
      return push_chars(value_kind::bytes, take(little_endian<4>()));
    case op::binbytes8:
    case op::bytearray8:
      return push_chars(value_kind::bytes, take(little_endian<8>()));
    case op::empty_set:
      make(value_kind::set);
      return;
    case op::additems:
      return append(pop_mark(), value_kind::set, false);
    case op::frozenset: {
      const value_ref set = collect(value_kind::set, pop_mark());
      values_[set].flag = true;
      return push(set);
    }
    case op::stack_global:
      return stack_global();
    case 'R':
      return reduce();
    case op::newobj:
      return make_object(false);
    case op::newobj_ex:
      return make_object(true);
    case 'b':
      return build();
    case '0':
      return discard();
    case '1':
      stack_.resize(pop_mark());
      return;
    case '2':
      return push(top());
    default:
      return step_of_protocol_0(opcode);
  }
}

void pickle_reader::machine::step_of_protocol_0(unsigned char opcode) {
  switch (opcode) {
    case 'I':
      return integer_line();
    case 'L':
      return long_line();
    case 'F':
      return real_line();
    case 'V':
      return push_unescaped(from_raw_unicode_escape(line()));
    case 'S':
      push_unescaped(from_quoted(line()));
      return ascii(values_[top()].chars());
    case 'U':
      push_chars(value_kind::text, take(little_endian<1>()));
      return ascii(values_[top()].chars());
    case 'T':
      push_chars(value_kind::text, take(little_endian<4>()));
      return ascii(values_[top()].chars());
    case 'l':
      return push(collect(value_kind::list, pop_mark()));
    case 'd': {
      const std::size_t first = pop_mark();
      if ((stack_.size() - first) % 2 != 0) fail("a dict has a key without a value");
      return push(collect(value_kind::dict, first));
    }
    case 'p':
      return put(number_line());
    case 'g':
      return get(number_line());
    case 'c': {
      const std::string_view module = line();
      return global(module, line());
    }
    case 'i':
      return make_marked(true);
    case 'o':
      return make_marked(false);
    default:
      fail_opcode(opcode);
  }
}

void pickle_reader::machine::fail(const std::string& message) const {
  fail_pickle(what_, opcode_at_, message);
}

void pickle_reader::machine::fail_opcode(unsigned char opcode) const {
  switch (opcode) {
    case 'P':
    case 'Q':
      fail("a persistent id refers to something that is not in the pickle");
    case op::ext1:
    case op::ext2:
    case op::ext4:
      fail("a code of copyreg's extension registry stands for a global that nobody here knows");
    case op::next_buffer:
    case op::readonly_buffer:
      fail("a buffer is not in the pickle itself");
    default: {
      char code[8];
      std::snprintf(code, sizeof code, "0x%02x", opcode);
      fail(std::string(code) + " is no opcode of a pickle");
    }
  }
}

std::string_view pickle_reader::machine::take(std::size_t count) {
  const std::size_t left = data_.size() - position_;
  if (count > left)
    fail("the pickle ends in the middle of a value: " + std::to_string(count) + " bytes expected, " +
         std::to_string(left) + " left");
  const std::string_view taken = data_.substr(position_, count);
  position_ += count;
  return taken;
}

template <std::size_t Size>
std::uint64_t pickle_reader::machine::little_endian() {
  const char* from = take(Size).data();
  std::uint64_t value = 0;
  for (std::size_t i = Size; i > 0; --i) value = value << 8 | static_cast<unsigned char>(from[i - 1]);
  return value;
}

std::string_view pickle_reader::machine::line() {
  const std::size_t end = data_.find('\n', position_);
  if (end == std::string_view::npos) fail("the pickle ends in the middle of a line");
  const std::string_view text = data_.substr(position_, end - position_);
  position_ = end + 1;
  return text;
}

std::uint64_t pickle_reader::machine::number_line() {
  const std::string_view digits = line();
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size())
    fail("\"" + printable(digits, 24) + "\" is no index of the memo");
  return value;
}

void pickle_reader::machine::protocol() {
  const std::uint64_t number = little_endian<1>();
  if (number > 5) fail("protocol " + std::to_string(number) + " of pickle is not known: 5 is the latest");
}

/// Frames only tell how much to read at once. What they say must be there all the same.
void pickle_reader::machine::frame() {
  frames_.push_back(opcode_at_);
  const std::uint64_t size = little_endian<8>();
  const std::size_t left = data_.size() - position_;
  if (size > left)
    fail("a frame of " + std::to_string(size) + " bytes, and " + std::to_string(left) + " are left");
}

/// Made where it stays: copying what was just written piece by piece would stall.
python_value& pickle_reader::machine::make(value_kind kind) {
  stack_.push_back(static_cast<value_ref>(values_.values.size()));
  python_value& value = values_.values.emplace_back();
  value.kind = kind;
  value.position = static_cast<std::uint32_t>(opcode_at_);
  return value;
}

void pickle_reader::machine::push_made(python_value value) {
  value.position = static_cast<std::uint32_t>(opcode_at_);
  push(values_.add(value));
}

void pickle_reader::machine::push_chars(value_kind kind, std::string_view chars) {
  python_value& value = make(kind);
  value.data = chars.data();
  value.count = static_cast<std::uint32_t>(chars.size());
}

void pickle_reader::machine::push_integer(std::int64_t number) {
  make(value_kind::integer).number = number;
}

void pickle_reader::machine::push_unescaped(std::optional<std::string> text) {
  if (!text) fail("a string is not escaped as Python does it");
  values_.unescaped.push_back(std::move(*text));
  push_chars(value_kind::text, values_.unescaped.back());
}

void pickle_reader::machine::fail_missing() const {
  fail("a value is missing on the stack");
}

void pickle_reader::machine::mark() {
  marks_.push_back(static_cast<std::uint32_t>(stack_.size()));
  floor_ = stack_.size();
}

std::size_t pickle_reader::machine::pop_mark() {
  if (marks_.empty()) fail("a mark is missing on the stack");
  const std::size_t first = marks_.back();
  marks_.pop_back();
  floor_ = marks_.empty() ? 0 : marks_.back();
  return first;
}

/// A mark counts as a value here.
void pickle_reader::machine::discard() {
  if (stack_.size() == floor_ && !marks_.empty()) {
    pop_mark();
  } else {
    pop();
  }
}

/// Python counts from 0 without gaps. Another index may be as great as the pickle is long, which bounds the
/// memo.
void pickle_reader::machine::put(std::uint64_t index) {
  const value_ref value = top();
  if (index == memo_.size()) {
    memo_.push_back(no_value);
  } else if (index > memo_.size()) {
    if (index >= data_.size()) fail("index " + std::to_string(index) + " of the memo is out of range");
    memo_.resize(index + 1, no_value);
  }
  memoized_ += memo_[index] == no_value;
  memo_[index] = value;
}

void pickle_reader::machine::get(std::uint64_t index) {
  if (index >= memo_.size() || memo_[index] == no_value)
    fail("nothing has been put at index " + std::to_string(index) + " of the memo");
  push(memo_[index]);
}

/// Before protocol 2 the bools are "00" and "01".
void pickle_reader::machine::integer_line() {
  const std::string_view digits = line();
  if (digits == "00") return push(python_values::false_);
  if (digits == "01") return push(python_values::true_);
  const auto value = integer_from_digits(digits);
  if (!value) fail("\"" + printable(digits, 24) + "\" is no int");
  push_made(*value);
}

void pickle_reader::machine::long_line() {
  std::string_view digits = line();
  if (digits.ends_with('L')) digits.remove_suffix(1);
  const auto value = integer_from_digits(digits);
  if (!value) fail("\"" + printable(digits, 24) + "\" is no int");
  push_made(*value);
}

void pickle_reader::machine::real_line() {
  const std::string_view digits = line();
  const auto value = real_from_text(digits);
  if (!value) fail("\"" + printable(digits, 24) + "\" is no float");
  make(value_kind::real).real = *value;
}

/// Python 2's strings may be anything, and which text that is nobody knows unless it is ASCII.
void pickle_reader::machine::ascii(std::string_view chars) {
  for (const char c : chars)
    if (static_cast<unsigned char>(c) >= 0x80) fail("a string of Python 2 is not ASCII");
}

/// Takes what lies on the stack from `first` on into a new container.
value_ref pickle_reader::machine::collect(value_kind kind, std::size_t first) {
  make(kind);
  const value_ref container = pop();
  for (std::size_t i = first; i < stack_.size(); ++i) values_.append(container, stack_[i]);
  stack_.resize(first);
  return container;
}

void pickle_reader::machine::tuple(std::size_t count) {
  if (stack_.size() - floor_ < count) fail_missing();
  push(collect(value_kind::tuple, stack_.size() - count));
}

/// Moves what lies on the stack from `first` on into the container below it.
void pickle_reader::machine::append(std::size_t first, value_kind to, bool pairs) {
  if (first > stack_.size() || first <= floor_) fail_missing();
  const value_ref container = stack_[first - 1];
  const python_value& value = values_[container];
  if (pairs && (stack_.size() - first) % 2 != 0) fail("a dict has a key without a value");
  // What objects hold beside their arguments is not looked at.
  const bool ignored = value.kind == value_kind::exception;
  if (!ignored && (value.kind != to || value.flag))
    fail(std::string(to_string(value.kind)) + " is given the elements of " + std::string(to_string(to)));
  for (std::size_t i = first; i < stack_.size() && !ignored; ++i) values_.append(container, stack_[i]);
  stack_.resize(first);
}

void pickle_reader::machine::global(std::string_view module, std::string_view name) {
  pickle_calls calls(values_, what_, static_cast<std::uint32_t>(opcode_at_),
                     options_.unknown_objects_as_exceptions);
  push(calls.global(module, name));
}

void pickle_reader::machine::stack_global() {
  const python_value name = values_[pop()];
  const python_value module = values_[pop()];
  if (name.kind != value_kind::text || module.kind != value_kind::text)
    fail("the name of a global is not text");
  global(module.chars(), name.chars());
}

value_ref pickle_reader::machine::call(value_ref callable, value_ref arguments) {
  pickle_calls calls(values_, what_, static_cast<std::uint32_t>(opcode_at_),
                     options_.unknown_objects_as_exceptions);
  return calls.call(callable, arguments);
}

void pickle_reader::machine::reduce() {
  const value_ref arguments = pop();
  const value_ref callable = pop();
  push(call(callable, arguments));
}

/// Python pickles only classes of others with keywords; they may be there, if it is one of these.
void pickle_reader::machine::make_object(bool keywords) {
  if (keywords) {
    const value_ref given = pop();
    if (values_[given].kind != value_kind::dict) fail("keyword arguments are not a dict");
    const bool some = values_[given].count > 0;
    if (some && !options_.unknown_objects_as_exceptions)
      fail("keyword arguments are for no class that is known here");
  }
  reduce();
}

/// Python 2's instances: arguments from the mark on, the class named or first among them.
void pickle_reader::machine::make_marked(bool named) {
  value_ref class_ = no_value;
  std::size_t first = 0;
  if (named) {
    const std::string_view module = line();
    global(module, line());
    class_ = pop();
    first = pop_mark();
  } else {
    first = pop_mark();
    if (first == stack_.size()) fail_missing();
    class_ = stack_[first];
    ++first;
  }
  const value_ref arguments = collect(value_kind::tuple, first);
  if (!named) stack_.pop_back();
  push(call(class_, arguments));
}

void pickle_reader::machine::build() {
  const value_ref state = pop();
  pickle_calls calls(values_, what_, static_cast<std::uint32_t>(opcode_at_),
                     options_.unknown_objects_as_exceptions);
  calls.build(top(), state);
}

}  // namespace quarq::codecs::python
