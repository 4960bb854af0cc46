# Writes what R says of the cases below, as JSON: the input and the answer side by side.
#
#     Rscript test/statistics/golden/statistics.R > test/statistics/golden/statistics.json
#
# It needs the packages boot and pROC (Debian: r-base-core r-cran-boot r-cran-proc). The numbers that go in are made
# without R's random generator, so that every version of R makes the same file but for rounding.
suppressPackageStartupMessages({ library(boot); library(pROC) })
options(pROCProgress = list(name = "none"))

# --- JSON: numbers to 17 digits, a vector as a list, a named list as an object -------------------------------------
number <- function(x) ifelse(is.finite(x), sprintf("%.17g", x), "null")
text <- function(x) paste0('"', x, '"')
json <- function(x) {
  if (is.list(x) && !is.null(names(x)))
    return(paste0("{", paste0(text(names(x)), ":", vapply(x, json, ""), collapse = ","), "}"))
  if (is.list(x)) return(paste0("[", paste(vapply(x, json, ""), collapse = ",\n"), "]"))
  if (is.character(x)) return(text(x))
  values <- number(as.numeric(x))
  if (inherits(x, "one")) values else paste0("[", paste(values, collapse = ","), "]")
}
one <- function(x) structure(as.numeric(x), class = "one")

# --- Numbers in (0, 1) by a linear congruence (Park and Miller 1988), exact in double precision ---------------------
state <- 20261121
unif <- function(n) vapply(seq_len(n), function(i) { state <<- (state * 16807) %% 2147483647; state / 2147483647 }, 0)
norm <- function(n, digits = 6) round(qnorm(unif(n)), digits)

# --- McNemar: exact, as the binomial test of the examples that flipped -----------------------------------------------
mcnemar_cases <- lapply(
  list(c(0, 1), c(1, 0), c(3, 3), c(0, 5), c(0, 6), c(1, 8), c(12, 30), c(40, 41), c(250, 180), c(5100, 4800), c(0, 900)),
  function(k) list(fixed = one(k[1]), broken = one(k[2]), p = one(binom.test(k[1], sum(k), 0.5)$p.value)))

# --- DeLong: ties (scores of one digit), unequal classes, paired and of different examples ---------------------------
delong_case <- function(n, rate, digits, paired) {
  side <- function(label) round(0.9 * label + norm(length(label)), digits)
  label <- as.integer(unif(n) < rate)
  other <- if (paired) label else as.integer(unif(n - 7) < rate)
  base <- side(label)
  head <- if (paired) round(0.6 * base + 0.7 * norm(n) + 0.2 * label, digits) else side(other)
  area <- function(y, s) roc(y, s, direction = "<", levels = c(0, 1), quiet = TRUE)
  before <- area(label, base)
  after <- area(other, head)
  test <- roc.test(after, before, method = "delong", paired = paired)
  difference <- as.numeric(auc(after)) - as.numeric(auc(before))
  c(list(paired = one(paired), label = label, base = base, other = other, head = head,
         auc = c(auc(before), auc(after)),
         wilcoxon = one(suppressWarnings(wilcox.test(base[label == 1], base[label == 0]))$statistic /
                        (sum(label) * sum(1 - label))),
         error = one(difference / test$statistic)),
    # Of different examples pROC takes Welch's t in the place of the normal curve.
    if (paired) list(p = one(test$p.value)) else list(p = one(2 * pnorm(-abs(test$statistic)))))
}
delong_cases <- list(delong_case(40, 0.5, 1, TRUE), delong_case(120, 0.2, 2, TRUE), delong_case(75, 0.6, 6, TRUE),
                     delong_case(60, 0.4, 1, FALSE), delong_case(150, 0.3, 6, FALSE))

# --- boot: acceleration and variance by the jackknife, places of percentile and BCa bounds ---------------------------
# R samples by the same congruence. Where BCa's bounds lie is told as places among the sorted ones, (R + 1) times the
# level: between two of them boot interpolates along the normal curve and Lockstep straight. boot tells the places to two
# digits, so they are computed again and held against boot's.
# Of strata each keeps its share when an example is left out: a statistic of weights, which sum to 1 in each stratum.
boot_case <- function(statistic, data, R, strata = rep(1, nrow(data)), weighted = NULL) {
  rows <- replicate(R, unlist(lapply(split(seq_len(nrow(data)), strata),
                                     function(of) of[1 + floor(unif(length(of)) * length(of))])))
  drawn <- apply(rows, 2, function(i) statistic(data, i))
  made <- list(t0 = statistic(data, seq_len(nrow(data))), t = as.matrix(drawn), R = R, data = data,
               statistic = statistic, sim = "ordinary", stype = "i", strata = strata,
               call = call("boot", data = quote(data), statistic = quote(statistic), R = R))
  class(made) <- "boot"
  L <- empinf(data = data, statistic = if (is.null(weighted)) statistic else weighted,
              stype = if (is.null(weighted)) "i" else "w", type = "jack", strata = strata)
  L <- L - ave(L, strata)
  answer <- list(estimate = one(made$t0), drawn = drawn, strata = as.integer(strata), columns = as.list(unname(data)),
                 variance = one(var.linear(L, strata)))
  if (length(unique(strata)) > 1) return(answer)
  ci <- boot.ci(made, conf = 0.95, type = c("perc", "bca"), t0 = made$t0, t = drawn, L = L)
  acceleration <- sum(L^3) / (6 * sum(L^2)^1.5)
  bias <- qnorm(sum(drawn < made$t0) / R)
  z <- bias + qnorm(c(0.025, 0.975))
  places <- (R + 1) * pnorm(bias + z / (1 - acceleration * z))
  stopifnot(abs(places - ci$bca[1, 2:3]) <= 0.00501)
  c(answer, list(acceleration = one(acceleration), percentile = ci$percent[1, 4:5], places = places,
                 bca = ci$bca[1, 4:5]))
}
skewed <- data.frame(x = round(exp(norm(40)), 6))
pairs <- data.frame(y = round(2 + norm(30), 6), x = round(3 + 0.5 * abs(norm(30)), 6))
classes <- data.frame(x = round(c(norm(25), 2 + 3 * norm(10)), 6))
boot_cases <- list(
  mean = boot_case(function(d, i) mean(d$x[i]), skewed, 999),
  ratio = boot_case(function(d, i) sum(d$y[i]) / sum(d$x[i]), pairs, 999),
  strata = boot_case(function(d, i) sum(d$x[i]) / length(i), classes, 99, rep(1:2, c(25, 10)),
                     function(d, w) sum(d$x * w * rep(c(25, 10), c(25, 10))) / 35))

# --- Student's t: pairs, Welch, and two one-sided tests --------------------------------------------------------------
t_case <- function(base, head, paired, margin) {
  two <- t.test(head, base, paired = paired)
  side <- function(mu, alternative) t.test(head, base, paired = paired, mu = mu, alternative = alternative)$p.value
  list(base = base, head = head, paired = one(paired), margin = one(margin), difference = one(mean(head) - mean(base)),
       p = one(two$p.value), interval = two$conf.int, inner = t.test(head, base, paired = paired, conf.level = 0.9)$conf.int,
       of_base = t.test(base)$conf.int, above = one(side(-margin, "greater")), below = one(side(margin, "less")))
}
t_cases <- list(
  t_case(norm(6), norm(6) + 0.5, TRUE, 0.4), t_case(norm(12, 3), norm(12, 3), TRUE, 0.9),
  t_case(norm(5), norm(9) + 1, FALSE, 0.5), t_case(10 * norm(8), norm(15), FALSE, 8),
  t_case(0.1 * norm(20), 0.1 * norm(20), TRUE, 0.06), t_case(norm(2), norm(2) + 3, FALSE, 2))

# --- Corrections, distributions, quantiles ---------------------------------------------------------------------------
adjust_cases <- lapply(list(unif(7) * 0.1, round(unif(12)^3, 2), c(0.04, 0.04, 0.04), c(1, 0.5), 0.03), function(p)
  list(p = p, holm = p.adjust(p, "holm"), bh = p.adjust(p, "BH")))
tails <- list(
  t = lapply(list(c(0.5, 3), c(2.1, 7.5), c(5, 40), c(12, 2), c(1.3, 1000), c(-2, 9)), function(k)
    list(at = one(k[1]), df = one(k[2]), tail = one(pt(k[1], k[2], lower.tail = FALSE)))),
  t_quantile = lapply(list(c(0.975, 4), c(0.95, 29), c(0.999, 12.3), c(0.01, 200)), function(k)
    list(share = one(k[1]), df = one(k[2]), at = one(qt(k[1], k[2])))),
  normal = lapply(c(0.001, 0.02, 0.3, 0.9, 0.975, 0.99999), function(p) list(share = one(p), at = one(qnorm(p)))),
  chi_square = lapply(list(c(3.84, 1), c(0.5, 3), c(25, 10), c(200, 100)), function(k)
    list(at = one(k[1]), df = one(k[2]), tail = one(pchisq(k[1], k[2], lower.tail = FALSE)))))
values <- sort(norm(15))
quantiles <- list(values = values, shares = c(0, 0.025, 0.1, 0.5, 0.77, 1),
                  at = as.numeric(quantile(values, c(0, 0.025, 0.1, 0.5, 0.77, 1), type = 7)))

cat(json(list(
  made_by = list(R = paste(R.version$major, R.version$minor, sep = "."),
                 boot = as.character(packageVersion("boot")), pROC = as.character(packageVersion("pROC"))),
  mcnemar = mcnemar_cases, delong = delong_cases, boot = boot_cases, t = t_cases, adjust = adjust_cases,
  tails = tails, quantiles = quantiles)), "\n", sep = "")
