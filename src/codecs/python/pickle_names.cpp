#include "codecs/python/pickle_names.hpp"

#include <algorithm>
#include <iterator>

namespace quarq::codecs::python {

namespace {

/// In order; `writable` are those that Python 3.8 has, that are made from one message, and that may be raised
/// anywhere.
struct builtin_exception {
  std::string_view name;
  bool writable = true;
};

constexpr builtin_exception builtin_exceptions[] = {
    {"ArithmeticError"},
    {"AssertionError"},
    {"AttributeError"},
    {"BaseException", false},
    {"BaseExceptionGroup", false},
    {"BlockingIOError"},
    {"BrokenPipeError"},
    {"BufferError"},
    {"BytesWarning"},
    {"ChildProcessError"},
    {"ConnectionAbortedError"},
    {"ConnectionError"},
    {"ConnectionRefusedError"},
    {"ConnectionResetError"},
    {"DeprecationWarning"},
    {"EOFError"},
    {"EncodingWarning", false},
    {"EnvironmentError"},
    {"Exception"},
    {"ExceptionGroup", false},
    {"FileExistsError"},
    {"FileNotFoundError"},
    {"FloatingPointError"},
    {"FutureWarning"},
    {"GeneratorExit", false},
    {"IOError"},
    {"ImportError"},
    {"ImportWarning"},
    {"IndentationError"},
    {"IndexError"},
    {"InterruptedError"},
    {"IsADirectoryError"},
    {"KeyError"},
    {"KeyboardInterrupt", false},
    {"LookupError"},
    {"MemoryError"},
    {"ModuleNotFoundError"},
    {"NameError"},
    {"NotADirectoryError"},
    {"NotImplementedError"},
    {"OSError"},
    {"OverflowError"},
    {"PendingDeprecationWarning"},
    {"PermissionError"},
    {"ProcessLookupError"},
    {"PythonFinalizationError", false},
    {"RecursionError"},
    {"ReferenceError"},
    {"ResourceWarning"},
    {"RuntimeError"},
    {"RuntimeWarning"},
    {"StandardError", false},
    {"StopAsyncIteration", false},
    {"StopIteration", false},
    {"SyntaxError"},
    {"SyntaxWarning"},
    {"SystemError"},
    {"SystemExit", false},
    {"TabError"},
    {"TimeoutError"},
    {"TypeError"},
    {"UnboundLocalError"},
    {"UnicodeDecodeError", false},
    {"UnicodeEncodeError", false},
    {"UnicodeError"},
    {"UnicodeTranslateError", false},
    {"UnicodeWarning"},
    {"UserWarning"},
    {"ValueError"},
    {"Warning"},
    {"ZeroDivisionError"},
    {"_IncompleteInputError", false},
};
static_assert(std::ranges::is_sorted(builtin_exceptions, {}, &builtin_exception::name));

const builtin_exception* find_builtin_exception(std::string_view name) noexcept {
  const auto* found = std::ranges::lower_bound(builtin_exceptions, name, {}, &builtin_exception::name);
  return found != std::end(builtin_exceptions) && found->name == name ? found : nullptr;
}

struct known_name {
  std::string_view module, name;
  python_name what;
};

/// Protocols before 3 call modules as Python 2 did.
constexpr known_name known_names[] = {
    {"asyncio.exceptions", "CancelledError", python_name::exception},
    {"asyncio.exceptions", "TimeoutError", python_name::exception},
    {"asyncio.exceptions", "InvalidStateError", python_name::exception},
    {"concurrent.futures._base", "CancelledError", python_name::exception},
    {"concurrent.futures._base", "TimeoutError", python_name::exception},
    {"arq.worker", "JobExecutionFailed", python_name::exception},
    {"arq.worker", "Retry", python_name::exception},
    {"arq.worker", "RetryJob", python_name::exception},
    {"arq.jobs", "DeserializationError", python_name::exception},
    {"arq.jobs", "SerializationError", python_name::exception},
    {"arq.jobs", "ResultNotFound", python_name::exception},
    {"datetime", "datetime", python_name::datetime},
    {"datetime", "date", python_name::date},
    {"datetime", "time", python_name::time},
    {"datetime", "timedelta", python_name::timedelta},
    {"datetime", "timezone", python_name::timezone},
    {"zoneinfo", "ZoneInfo", python_name::zone_info},
    {"zoneinfo", "ZoneInfo._unpickle", python_name::zone_info_unpickle},
    {"uuid", "UUID", python_name::uuid},
    {"decimal", "Decimal", python_name::decimal},
    {"collections", "OrderedDict", python_name::ordered_dict},
    {"collections", "defaultdict", python_name::default_dict},
    {"_codecs", "encode", python_name::encode},
    {"copy_reg", "_reconstructor", python_name::reconstructor},
    {"copyreg", "_reconstructor", python_name::reconstructor},
};

struct builtin_name {
  std::string_view name;
  python_name what;
};

constexpr builtin_name builtin_names[] = {
    {"set", python_name::set},           {"frozenset", python_name::frozenset},
    {"bytes", python_name::bytes},       {"bytearray", python_name::bytearray},
    {"getattr", python_name::getattr},   {"object", python_name::object},
    {"list", python_name::plain_class},  {"dict", python_name::plain_class},
    {"int", python_name::plain_class},   {"float", python_name::plain_class},
    {"str", python_name::plain_class},   {"bool", python_name::plain_class},
    {"tuple", python_name::plain_class}, {"long", python_name::plain_class},
};

constexpr bool is_builtins(std::string_view module) noexcept {
  return module == "builtins" || module == "__builtin__" || module == "exceptions";
}

python_name find_builtin(std::string_view name) noexcept {
  for (const builtin_name& known : builtin_names)
    if (known.name == name) return known.what;
  return find_builtin_exception(name) ? python_name::exception : python_name::unknown;
}

struct counterpart {
  std::string_view type;
  python_class python;
};

/// Exceptions under the names that their authors use, and C++'s. A timeout is asyncio's TimeoutError, which
/// arq raises and which is the builtin one from Python 3.11 on.
constexpr counterpart counterparts[] = {
    {"asyncio.TimeoutError", {"asyncio.exceptions", "TimeoutError"}},
    {"asyncio.exceptions.TimeoutError", {"asyncio.exceptions", "TimeoutError"}},
    {"asyncio.CancelledError", {"asyncio.exceptions", "CancelledError"}},
    {"asyncio.exceptions.CancelledError", {"asyncio.exceptions", "CancelledError"}},
    {"arq.worker.JobExecutionFailed", {"arq.worker", "JobExecutionFailed"}},
    {"arq.worker.Retry", {"arq.worker", "Retry", false}},
    {"arq.Retry", {"arq.worker", "Retry", false}},
    {"arq.worker.RetryJob", {"arq.worker", "RetryJob"}},
    {"arq.jobs.DeserializationError", {"arq.jobs", "DeserializationError"}},
    {"arq.jobs.SerializationError", {"arq.jobs", "SerializationError"}},
    {"arq.jobs.ResultNotFound", {"arq.jobs", "ResultNotFound"}},
    {"quarq::timed_out", {"asyncio.exceptions", "TimeoutError"}},
    {"quarq::cancelled", {"asyncio.exceptions", "CancelledError", false}},
    {"quarq::job_expired", {"arq.worker", "JobExecutionFailed"}},
    {"quarq::unknown_task", {"arq.worker", "JobExecutionFailed"}},
    {"quarq::worker_lost", {"arq.worker", "JobExecutionFailed"}},
    {"quarq::retries_exhausted", {"arq.worker", "JobExecutionFailed"}},
    {"quarq::decode_error", {"builtins", "TypeError"}},
    {"quarq::usage_error", {"builtins", "ValueError"}},
    {"quarq::permanent_failure", {"builtins", "RuntimeError"}},
    {"std::invalid_argument", {"builtins", "ValueError"}},
    {"std::domain_error", {"builtins", "ValueError"}},
    {"std::length_error", {"builtins", "ValueError"}},
    {"std::out_of_range", {"builtins", "IndexError"}},
    {"std::overflow_error", {"builtins", "OverflowError"}},
    {"std::underflow_error", {"builtins", "ArithmeticError"}},
    {"std::range_error", {"builtins", "ArithmeticError"}},
    {"std::runtime_error", {"builtins", "RuntimeError"}},
    {"std::logic_error", {"builtins", "RuntimeError"}},
    {"std::bad_alloc", {"builtins", "MemoryError"}},
    {"std::system_error", {"builtins", "OSError"}},
    {"std::filesystem::filesystem_error", {"builtins", "OSError"}},
    {"std::filesystem::__cxx11::filesystem_error", {"builtins", "OSError"}},
};

}  // namespace

python_name find_python_name(std::string_view module, std::string_view name) noexcept {
  if (is_builtins(module)) return find_builtin(name);
  for (const known_name& known : known_names)
    if (known.name == name && known.module == module) return known.what;
  return python_name::unknown;
}

std::string qualified_name(std::string_view module, std::string_view name) {
  const bool bare = is_builtins(module) && find_builtin_exception(name);
  return bare ? std::string(name) : std::string(module) + '.' + std::string(name);
}

python_class exception_for(std::string_view type) noexcept {
  for (const counterpart& known : counterparts)
    if (known.type == type) return known.python;
  constexpr std::string_view builtins = "builtins.";
  if (type.starts_with(builtins)) type.remove_prefix(builtins.size());
  const builtin_exception* found = find_builtin_exception(type);
  if (!found || !found->writable) return {};
  return {"builtins", found->name};
}

}  // namespace quarq::codecs::python
