// expect: quarq: a field of this model is not among the members that BOOST_DESCRIBE_STRUCT names
#include <boost/describe.hpp>

#include <quarq/model.hpp>

struct page {
  int offset = 0;
  int limit = 10;
};
BOOST_DESCRIBE_STRUCT(page, (), (offset))

#ifdef MUST_FAIL
QUARQ_MODEL(page, field(&page::limit).range(0, 100))
#else
QUARQ_MODEL(page, field(&page::offset).range(0, 100))
#endif
