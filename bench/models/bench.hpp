// `quarq-bench models`: models beside what parses the same bytes without looking at them.
#pragma once

#include "../report.hpp"

namespace quarq::bench {

/// The same documents by pydantic and msgspec, if ./dev has installed them; else a line says that it has not.
void measure_beside_python(report& out);

int models_main(int argc, char** argv);

}  // namespace quarq::bench
