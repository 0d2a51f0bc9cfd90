#include "processes/function_id.hpp"

#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <unordered_map>

#include <elf.h>
#include <link.h>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

namespace quarq::processes {

namespace {

struct module {
  std::string name;  // empty: the program itself
  std::string build_id;
  ElfW(Addr) base = 0;
};

// The build id among the notes of a segment. Notes are padded to 4 bytes, or to 8 if the segment is.
std::optional<std::string> build_id_in(const char* notes, std::size_t size, std::size_t alignment) {
  const auto padded = [&](std::size_t n) { return (n + alignment - 1) / alignment * alignment; };
  std::size_t at = 0;
  while (size - at >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes + at, sizeof note);
    const std::size_t name = at + sizeof note;
    const std::size_t content = at + padded(sizeof note + note.n_namesz);
    const std::size_t end = content + padded(note.n_descsz);
    if (content > size || note.n_descsz > size - content) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(notes + name, "GNU", 4) == 0)
      return std::string(notes + content, note.n_descsz);
    if (end >= size) break;
    at = end;
  }
  return std::nullopt;
}

// Identifies a module that was linked without a build id.
std::string layout_of(const dl_phdr_info& info) {
  std::uint64_t hash = 14695981039346656037u;
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    for (const std::uint64_t value :
         {std::uint64_t{info.dlpi_phdr[i].p_type}, std::uint64_t{info.dlpi_phdr[i].p_vaddr},
          std::uint64_t{info.dlpi_phdr[i].p_filesz}, std::uint64_t{info.dlpi_phdr[i].p_memsz}})
      hash = (hash ^ value) * 1099511628211u;
  }
  return "layout " + std::to_string(hash);
}

module describe(const dl_phdr_info& info) {
  module result{info.dlpi_name, {}, info.dlpi_addr};
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const auto& part = info.dlpi_phdr[i];
    if (part.p_type != PT_NOTE) continue;
    const auto* notes = reinterpret_cast<const char*>(info.dlpi_addr + part.p_vaddr);
    if (const auto id = build_id_in(notes, part.p_memsz, part.p_align == 8 ? 8 : 4)) result.build_id = *id;
  }
  if (result.build_id.empty()) result.build_id = layout_of(info);
  return result;
}

bool holds_code_at(const dl_phdr_info& info, ElfW(Addr) address) {
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const auto& part = info.dlpi_phdr[i];
    const ElfW(Addr) begin = info.dlpi_addr + part.p_vaddr;
    if (part.p_type == PT_LOAD && (part.p_flags & PF_X) && address >= begin && address - begin < part.p_memsz)
      return true;
  }
  return false;
}

// Calls `look` for each module until it returns true.
template <class Look>
bool any_module(Look look) {
  const auto call = [](dl_phdr_info* info, std::size_t, void* data) -> int {
    return (*static_cast<Look*>(data))(*info) ? 1 : 0;
  };
  return dl_iterate_phdr(call, &look) != 0;
}

// Caches answers about the program itself. Not about libraries: one may be unloaded, and another loaded at
// its address.
template <class Key, class Value>
class answers {
 public:
  std::optional<Value> find(const Key& key) const {
    const std::shared_lock lock(mutex_);
    const auto found = known_.find(key);
    if (found == known_.end()) return std::nullopt;
    return found->second;
  }
  void keep(Key key, Value value) {
    const std::lock_guard lock(mutex_);
    known_.emplace(std::move(key), std::move(value));
  }

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<Key, Value> known_;
};

std::string encode(const module& where, std::uint64_t offset) {
  std::string result;
  encoder out(result);
  out.array(3);
  // A file's name need not be UTF-8.
  out.binary(where.name);
  out.binary(where.build_id);
  out.unsigned_integer(offset);
  return result;
}

[[noreturn]] void fail_missing(const std::string& name, bool other_build) {
  const std::string which = name.empty() ? "the program" : name;
  if (other_build)
    throw error("the function is in " + which + ", of which this process has another build loaded");
  throw error("the function is in " + which +
              ", which this process has not loaded: a child loads what the program "
              "is linked with, and not what its parent loaded later with dlopen");
}

}  // namespace

std::string encode_function_id(any_function function) {
  static auto& known = *new answers<any_function, std::string>;
  if (auto found = known.find(function)) return *std::move(found);
  const auto address = reinterpret_cast<ElfW(Addr)>(function);
  std::optional<module> holder;
  any_module([&](const dl_phdr_info& info) {
    if (!holds_code_at(info, address)) return false;
    holder = describe(info);
    return true;
  });
  if (!holder) throw error("a function to be called in another process is in no part of the program");
  auto result = encode(*holder, address - holder->base);
  if (holder->name.empty()) known.keep(function, result);
  return result;
}

any_function find_function(std::string_view encoded) {
  static auto& known = *new answers<std::string, any_function>;
  std::string key(encoded);
  if (const auto found = known.find(key)) return *found;
  decoder in(encoded, "id of a function");
  in.array(3);
  const std::string name(in.binary());
  const std::string build_id(in.binary());
  const std::uint64_t offset = in.unsigned_integer();
  in.finish();
  any_function result = nullptr;
  bool other_build = false;
  any_module([&](const dl_phdr_info& info) {
    // A library may be at another path here; its build id is the same.
    const bool is_program = info.dlpi_name[0] == '\0';
    if (is_program != name.empty()) return false;
    const module here = describe(info);
    if (here.build_id != build_id) {
      other_build = other_build || here.name == name;
      return false;
    }
    const ElfW(Addr) address = info.dlpi_addr + offset;
    if (holds_code_at(info, address)) result = reinterpret_cast<any_function>(address);
    return true;
  });
  if (!result) fail_missing(name, other_build);
  if (name.empty()) known.keep(std::move(key), result);
  return result;
}

const std::string& program_build_id() {
  static const std::string& id = *new std::string([] {
    std::string found;
    any_module([&](const dl_phdr_info& info) {
      if (info.dlpi_name[0] != '\0') return false;
      found = describe(info).build_id;
      return true;
    });
    return found;
  }());
  return id;
}

}  // namespace quarq::processes
