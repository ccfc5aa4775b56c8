"""Functions as people write them: plain NumPy code from many fields that knows nothing of derivatives.

Nothing in this file is written for the library: no function avoids a NumPy idiom, and none imports it.
"""

import numpy as np
from scipy.special import expit, gammaln

# Partial differential equations -----------------------------------------------------------------------------------


def burgers(u, nu, dx):
    """Right-hand side of Burgers' equation by central differences, fixed ends."""
    dudt = np.zeros_like(u)
    advection = u[1:-1] * (u[2:] - u[:-2]) / (2 * dx)
    diffusion = nu * (u[2:] - 2 * u[1:-1] + u[:-2]) / dx**2
    dudt[1:-1] = diffusion - advection
    return dudt


def heat_periodic(u, alpha, dx):
    """Right-hand side of the heat equation on a ring."""
    return alpha * (np.roll(u, -1) - 2 * u + np.roll(u, 1)) / dx**2


def upwind_advection(u, c, dt, dx):
    """One explicit upwind step, with the inflow value kept."""
    new = u.copy()
    new[1:] = u[1:] - c * dt / dx * (u[1:] - u[:-1])
    return new


def wave_equation(u0, c, steps):
    """Leapfrog steps of the wave equation with clamped ends."""
    previous, current = u0.copy(), u0.copy()
    for _ in range(steps):
        following = np.zeros_like(current)
        following[1:-1] = (
            2 * current[1:-1] - previous[1:-1] + c**2 * (current[2:] - 2 * current[1:-1] + current[:-2])
        )
        previous, current = current, following
    return current


def bratu_1d(u, lam):
    """Residual of the Bratu problem, zero boundary values by concatenation."""
    h = 1.0 / (len(u) + 1)
    padded = np.concatenate(([0.0], u, [0.0]))
    return (padded[:-2] - 2 * padded[1:-1] + padded[2:]) / h**2 + lam * np.exp(u)


def bratu_2d(u, lam):
    """Residual of the Bratu problem on a rectangle, zero boundary values by padding."""
    h = 0.1
    p = np.pad(u, 1)
    laplacian = p[2:, 1:-1] + p[:-2, 1:-1] + p[1:-1, 2:] + p[1:-1, :-2] - 4 * u
    return laplacian / h**2 + lam * np.exp(u)


def laplacian_with_boundary_rows(u, boundary):
    """Residual of Laplace's equation: the stencil inside, the boundary condition on the rim."""
    r = np.empty_like(u)
    r[1:-1, 1:-1] = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1]
    r[0, :] = u[0, :] - boundary
    r[-1, :] = u[-1, :]
    r[1:-1, 0] = u[1:-1, 0] - u[1:-1, 1]
    r[1:-1, -1] = u[1:-1, -1] - u[1:-1, -2]
    return r


def brusselator_2d(y, n, m, alpha):
    """Right-hand side of the Brusselator, u and v stacked in one vector, on a torus."""
    u = y[: n * m].reshape(n, m)
    v = y[n * m :].reshape(n, m)

    def laplacian(w):
        return np.roll(w, 1, 0) + np.roll(w, -1, 0) + np.roll(w, 1, 1) + np.roll(w, -1, 1) - 4 * w

    dudt = 1.0 + u**2 * v - 4.4 * u + alpha * laplacian(u)
    dvdt = 3.4 * u - u**2 * v + alpha * laplacian(v)
    return np.concatenate([dudt.ravel(), dvdt.ravel()])


def gray_scott(uv, du, dv, feed, kill):
    """One explicit Euler step of the Gray-Scott model."""
    u, v = uv
    lu = np.roll(u, 1, axis=0) + np.roll(u, -1, axis=0) + np.roll(u, 1, axis=1) + np.roll(u, -1, axis=1) - 4 * u
    lv = np.roll(v, 1, axis=0) + np.roll(v, -1, axis=0) + np.roll(v, 1, axis=1) + np.roll(v, -1, axis=1) - 4 * v
    uvv = u * v * v
    u_new = u + du * lu - uvv + feed * (1 - u)
    v_new = v + dv * lv + uvv - (feed + kill) * v
    return np.stack([u_new, v_new])


def implicit_heat_residual(u_new, u_old, dt):
    """Residual of one implicit Euler step of the nonlinear heat equation, conductivity 1 + u^2 at the faces."""
    faces = 0.5 * (u_new[1:] + u_new[:-1])
    flux = (1 + faces**2) * np.diff(u_new)
    r = u_new - u_old
    r[0] -= dt * flux[0]
    r[-1] += dt * flux[-1]
    r[1:-1] -= dt * (flux[1:] - flux[:-1])
    return r


def shallow_water(q, dt, dx):
    """One Lax-Friedrichs step of the shallow water equations; the rows of q are height and momentum."""
    h, hu = q[0], q[1]
    flux = np.vstack([hu, hu**2 / h + 0.5 * 9.81 * h**2])
    new = q.copy()
    new[:, 1:-1] = 0.5 * (q[:, 2:] + q[:, :-2]) - dt / (2 * dx) * (flux[:, 2:] - flux[:, :-2])
    return new


def cahn_hilliard(c, gamma):
    """Right-hand side of the Cahn-Hilliard equation on a ring: a Laplacian of a Laplacian."""

    def laplacian(w):
        return np.roll(w, 1) - 2 * w + np.roll(w, -1)

    return laplacian(c**3 - c - gamma * laplacian(c))


def loop_laplacian(u):
    """The five-point stencil entry by entry, as in a first course."""
    out = np.zeros_like(u)
    rows, columns = u.shape
    for i in range(1, rows - 1):
        for j in range(1, columns - 1):
            out[i, j] = u[i + 1, j] + u[i - 1, j] + u[i, j + 1] + u[i, j - 1] - 4 * u[i, j]
    return out


# Systems of equations and test functions of optimisation ----------------------------------------------------------


def broyden_tridiagonal(x):
    """Moré, Garbow and Hillstrom, problem 30."""
    f = (3 - 2 * x) * x + 1
    f[1:] -= x[:-1]
    f[:-1] -= 2 * x[1:]
    return f


def discrete_integral_equation(x):
    """Moré, Garbow and Hillstrom, problem 29."""
    n = x.size
    h = 1.0 / (n + 1)
    t = np.arange(1, n + 1) * h
    cube = (x + t + 1) ** 3
    left = np.cumsum(t * cube)
    right = np.sum((1 - t) * cube) - np.cumsum((1 - t) * cube)
    return x + h * ((1 - t) * left + t * right) / 2


def rosenbrock(x):
    """The chained Rosenbrock function."""
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def powell_singular(x):
    """The extended Powell singular function: independent groups of four variables."""
    a, b, c, d = x[0::4], x[1::4], x[2::4], x[3::4]
    return np.sum((a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4)


def quadratic_form(x, A, b):
    """Half of x^T A x, less b^T x."""
    return 0.5 * x @ A @ x - b @ x


def thomas(a, b, c, d):
    """Solve a tridiagonal system by elimination; a below, b on and c above the diagonal."""
    n = len(d)
    cp = np.zeros_like(d)
    dp = np.zeros_like(d)
    cp[0] = c[0] / b[0]
    dp[0] = d[0] / b[0]
    for i in range(1, n):
        m = b[i] - a[i] * cp[i - 1]
        cp[i] = c[i] / m
        dp[i] = (d[i] - a[i] * dp[i - 1]) / m
    x = np.zeros_like(d)
    x[-1] = dp[-1]
    for i in range(n - 2, -1, -1):
        x[i] = dp[i] - cp[i] * x[i + 1]
    return x


def total_variation(image, eps):
    """Smoothed isotropic total variation."""
    dx = image[:-1, 1:] - image[:-1, :-1]
    dy = image[1:, :-1] - image[:-1, :-1]
    return np.sum(np.sqrt(dx**2 + dy**2 + eps))


def tikhonov(x, A, b, lam):
    """Least squares with a penalty on second differences."""
    residual = A @ x - b
    return residual @ residual + lam * np.sum(np.diff(x, 2) ** 2)


def chebyshev_series(x, c):
    """A sum of Chebyshev polynomials, by their recurrence."""
    before, now = np.ones_like(x), x
    total = c[0] * before + c[1] * now
    for k in range(2, len(c)):
        before, now = now, 2 * x * now - before
        total = total + c[k] * now
    return total


# Layers and losses of networks ------------------------------------------------------------------------------------


def dense_layer(X, W, b):
    """A batch through a dense layer."""
    return np.tanh(X @ W.T + b)


def mlp_loss(W1, b1, W2, b2, X, y):
    """Mean squared error of a network with one hidden layer of rectifiers."""
    hidden = np.maximum(0, X @ W1 + b1)
    prediction = hidden @ W2 + b2
    return np.mean((prediction[:, 0] - y) ** 2)


def softmax_cross_entropy(logits, labels):
    """Mean cross entropy of integer labels."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probability = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.mean(log_probability[np.arange(len(labels)), labels])


def softmax(z):
    """Softmax of every row."""
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def layer_norm(X, gain, bias, eps=1e-5):
    """Layer normalisation of every row."""
    mean = X.mean(axis=-1, keepdims=True)
    variance = X.var(axis=-1, keepdims=True)
    return gain * (X - mean) / np.sqrt(variance + eps) + bias


def batch_norm(X, gain, bias, eps=1e-5):
    """Batch normalisation of every column."""
    mean = np.mean(X, axis=0)
    variance = np.var(X, axis=0)
    return gain * (X - mean) / np.sqrt(variance + eps) + bias


def attention(X, Wq, Wk, Wv):
    """Scaled dot-product attention for a batch of sequences, with @."""
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    scores = Q @ K.transpose(0, 2, 1) / np.sqrt(Q.shape[-1])
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights @ V


def causal_attention_heads(X, Wqkv):
    """Masked attention with several heads, with einsum; Wqkv has the axes (3, heads, model, head)."""
    Q, K, V = np.einsum("btm,shmd->sbhtd", X, Wqkv)
    scores = np.einsum("bhtd,bhsd->bhts", Q, K) / np.sqrt(Q.shape[-1])
    t = X.shape[1]
    scores = np.where(np.tril(np.ones((t, t), dtype=bool)), scores, -1e9)
    weights = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    weights = weights / np.sum(weights, axis=-1, keepdims=True)
    return np.einsum("bhts,bhsd->bthd", weights, V).reshape(X.shape[0], t, -1)


def conv1d(signal, kernel):
    """Valid cross-correlation by sliding windows."""
    windows = np.lib.stride_tricks.sliding_window_view(signal, len(kernel))
    return windows @ kernel


def conv2d(image, kernel):
    """Valid cross-correlation by a loop over the kernel."""
    kh, kw = kernel.shape
    h, w = image.shape[0] - kh + 1, image.shape[1] - kw + 1
    out = 0
    for i in range(kh):
        for j in range(kw):
            out = out + kernel[i, j] * image[i : i + h, j : j + w]
    return out


def embedding_mean(E, tokens):
    """The mean of the embeddings of every sentence."""
    return E[tokens].mean(axis=1)


def embedding(E, tokens):
    """Rows of a table."""
    return E[tokens]


def rnn(h0, W, U, b, X):
    """All hidden states of a recurrent network."""
    h, states = h0, []
    for x in X:
        h = np.tanh(W @ h + U @ x + b)
        states.append(h)
    return np.stack(states)


def lstm_cell(x, h, c, W, b):
    """One step of an LSTM for a batch."""
    z = np.concatenate([x, h], axis=1) @ W + b
    i, f, o, g = np.split(z, 4, axis=1)
    c_new = expit(f) * c + expit(i) * np.tanh(g)
    return expit(o) * np.tanh(c_new)


def max_pool(X):
    """Max pooling of 2 by 2 windows by reshaping."""
    n, h, w = X.shape
    return X.reshape(n, h // 2, 2, w // 2, 2).max(axis=(2, 4))


def logistic_regression(w, X, y):
    """Mean negative log-likelihood with a ridge penalty."""
    z = X @ w
    return np.mean(np.logaddexp(0, z) - y * z) + 0.05 * np.sum(w**2)


def hinge_loss(w, X, y):
    """Regularised hinge loss of a support vector machine."""
    return 0.5 * w @ w + np.mean(np.maximum(0, 1 - y * (X @ w)))


def softplus(x):
    """A smooth rectifier that does not overflow."""
    return np.logaddexp(x, 0.0)


def gelu(x):
    """The approximation of the Gaussian error linear unit."""
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def matrix_factorisation(U, V, ratings, rows, columns):
    """Squared error on the observed entries, with weight decay."""
    predicted = np.sum(U[rows] * V[columns], axis=1)
    return np.sum((ratings - predicted) ** 2) + 0.1 * (np.sum(U**2) + np.sum(V**2))


# Statistics -------------------------------------------------------------------------------------------------------


def logsumexp(x):
    """The logarithm of a sum of exponentials, by the usual trick."""
    top = np.max(x)
    return top + np.log(np.sum(np.exp(x - top)))


def gaussian_log_likelihood(mu, Sigma, X):
    """Log-likelihood of a multivariate normal distribution, by slogdet and solve."""
    d = X - mu
    _, logdet = np.linalg.slogdet(Sigma)
    mahalanobis = np.sum(d * np.linalg.solve(Sigma, d.T).T)
    return -0.5 * (len(X) * (logdet + len(mu) * np.log(2 * np.pi)) + mahalanobis)


def gaussian_cholesky(theta, X):
    """The same with the entries of a Cholesky factor as parameters."""
    d = X.shape[1]
    L = np.zeros_like(np.outer(theta[:d], theta[:d]))
    L[np.tril_indices(d)] = theta
    L[np.diag_indices(d)] = np.exp(np.diag(L))
    z = np.linalg.solve(L, X.T)
    return -0.5 * np.sum(z**2) - len(X) * np.sum(np.log(np.diag(L)))


def gp_marginal_likelihood(theta, x, y):
    """Negative log marginal likelihood of a Gaussian process with a squared-exponential kernel."""
    amplitude, length, noise = np.exp(theta)
    K = amplitude**2 * np.exp(-0.5 * (x[:, None] - x[None, :]) ** 2 / length**2) + noise**2 * np.eye(len(x))
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, y))
    return 0.5 * y @ alpha + np.sum(np.log(np.diag(L))) + 0.5 * len(x) * np.log(2 * np.pi)


def rbf_kernel(X, gamma):
    """The kernel matrix of the rows of X."""
    squared = np.sum(X**2, axis=1)
    return np.exp(-gamma * (squared[:, None] + squared[None, :] - 2 * X @ X.T))


def kalman_step(x, P, z, F, H, Q, R):
    """Predict and update; the new state."""
    x = F @ x
    P = F @ P @ F.T + Q
    S = H @ P @ H.T + R
    K = P @ H.T @ np.linalg.inv(S)
    return x + K @ (z - H @ x)


def arma_residuals(theta, y):
    """Innovations of an ARMA(2, 1) process."""
    e = np.zeros_like(y)
    for t in range(2, len(y)):
        e[t] = y[t] - theta[0] * y[t - 1] - theta[1] * y[t - 2] - theta[2] * e[t - 1]
    return e[2:]


def garch_likelihood(theta, returns):
    """Negative log-likelihood of a GARCH(1, 1) model."""
    omega, alpha, beta = theta
    variance = np.var(returns)
    total = 0.0
    for r in returns:
        total += 0.5 * (np.log(variance) + r**2 / variance)
        variance = omega + alpha * r**2 + beta * variance
    return total


def iir_filter(x, b, a):
    """A recursive filter of second order, by its difference equation."""
    y = np.zeros_like(x)
    for n in range(len(x)):
        y[n] = b[0] * x[n]
        if n >= 1:
            y[n] += b[1] * x[n - 1] - a[1] * y[n - 1]
        if n >= 2:
            y[n] += b[2] * x[n - 2] - a[2] * y[n - 2]
    return y


def gaussian_mixture(means, X, log_weights):
    """Log-likelihood of a mixture of unit normal distributions."""
    squared = ((X[:, None, :] - means[None, :, :]) ** 2).sum(-1)
    log_p = log_weights - 0.5 * squared
    top = log_p.max(axis=1)
    return np.sum(top + np.log(np.exp(log_p - top[:, None]).sum(axis=1)))


def student_t(theta, x):
    """Negative log-likelihood of Student's distribution with unknown degrees of freedom."""
    mu, sigma, nu = theta[0], np.exp(theta[1]), np.exp(theta[2])
    z = (x - mu) / sigma
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi) - np.log(sigma)
    return -np.sum(constant - (nu + 1) / 2 * np.log1p(z**2 / nu))


def poisson_regression(w, X, counts):
    """Negative log-likelihood of counts."""
    eta = X.dot(w)
    return np.sum(np.exp(eta) - counts * eta)


def pca_reconstruction_error(W, X):
    """Squared error of the projection onto the columns of W."""
    centred = X - X.mean(axis=0)
    return np.linalg.norm(centred - centred @ W @ np.linalg.inv(W.T @ W) @ W.T) ** 2


def sharpe_ratio(w, mean, covariance):
    """Return over risk of a portfolio with weights that are normalised first."""
    p = w / np.sum(w)
    return (p @ mean) / np.sqrt(p @ covariance @ p)


# Mechanics and chemistry ------------------------------------------------------------------------------------------


def robot_arm(theta, lengths):
    """Position of the end of a planar arm."""
    angles = np.cumsum(theta)
    return np.array([np.sum(lengths * np.cos(angles)), np.sum(lengths * np.sin(angles))])


def rotation_about_axis(w, points):
    """Points turned by the rotation vector w, by Rodrigues' formula."""
    theta = np.linalg.norm(w)
    x, y, z = w / theta
    K = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    R = np.eye(3) + np.sin(theta) * K + (1 - np.cos(theta)) * K @ K
    return points @ R.T


def quaternion_rotate(q, points):
    """Points turned by a quaternion, which is normalised first."""
    q = q / np.sqrt(np.sum(q**2))
    w, r = q[0], q[1:]
    return points + 2 * np.cross(r, np.cross(r, points) + w * points)


def nbody_accelerations(positions, masses):
    """Gravity between all pairs, the diagonal masked."""
    d = positions[None, :, :] - positions[:, None, :]
    r2 = np.sum(d**2, axis=-1)
    np.fill_diagonal(r2, np.inf)
    return np.sum(masses[None, :, None] * d / r2[:, :, None] ** 1.5, axis=1)


def lennard_jones(positions):
    """Energy of a cluster."""
    i, j = np.triu_indices(len(positions), 1)
    r2 = np.sum((positions[i] - positions[j]) ** 2, axis=1)
    s6 = 1 / r2**3
    return 4 * np.sum(s6**2 - s6)


def spring_chain_energy(x, k, rest):
    """Energy of a chain of springs that hangs in gravity; the rows of x are points."""
    stretch = np.linalg.norm(np.diff(x, axis=0), axis=1) - rest
    return 0.5 * np.sum(k * stretch**2) + 9.81 * np.sum(x[:, 1])


def lotka_volterra(z, p):
    """Right-hand side of the predator and prey equations."""
    x, y = z
    a, b, c, d = p
    return np.array([a * x - b * x * y, c * x * y - d * y])


def lotka_volterra_rk4(z0, p, h, steps):
    """The trajectory by the classical Runge-Kutta method."""
    z, path = z0, [z0]
    for _ in range(steps):
        k1 = lotka_volterra(z, p)
        k2 = lotka_volterra(z + h / 2 * k1, p)
        k3 = lotka_volterra(z + h / 2 * k2, p)
        k4 = lotka_volterra(z + h * k3, p)
        z = z + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        path.append(z)
    return np.stack(path)


def pendulum_implicit_euler(path, start, h):
    """Residuals of all implicit Euler steps of a pendulum; the rows of path are angle and velocity."""
    before = np.vstack([start, path[:-1]])
    angle, velocity = path.T
    slope = np.column_stack([velocity, -9.81 * np.sin(angle)])
    return path - before - h * slope


def michaelis_menten_residuals(p, substrate, rate):
    """Residuals of a fit of the Michaelis-Menten law."""
    vmax, km = p
    return vmax * substrate / (km + substrate) - rate


def pharmacokinetics(p, t, dose):
    """Concentration after an oral dose in one compartment."""
    ka, ke, volume = np.exp(p)
    return dose * ka / (volume * (ka - ke)) * (np.exp(-ke * t) - np.exp(-ka * t))


def arrhenius_network(c, k):
    """Rates of a chain of reactions, a + b -> c and so on, assembled species by species."""
    rates = k * c[:-1] * c[1:]
    dcdt = np.zeros_like(c)
    dcdt[:-1] -= rates
    dcdt[1:] += rates
    dcdt[1:-1] -= 0.5 * rates[1:]
    return dcdt


def broken_power_law(p, x):
    """A model with two regimes, clipped."""
    amplitude, x0, low, high = p
    y = amplitude * np.where(x < x0, (x / x0) ** low, (x / x0) ** high)
    return np.clip(y, 0.3, 10.0)


def natural_spline(y, x, at):
    """A natural cubic spline through the points (x, y), at other places."""
    h = np.diff(x)
    n = len(x)
    A = np.eye(n)
    r = np.zeros_like(y)
    for i in range(1, n - 1):
        A[i, i - 1], A[i, i], A[i, i + 1] = h[i - 1], 2 * (h[i - 1] + h[i]), h[i]
        r[i] = 6 * ((y[i + 1] - y[i]) / h[i] - (y[i] - y[i - 1]) / h[i - 1])
    M = np.linalg.solve(A, r)
    k = np.clip(np.searchsorted(x, at) - 1, 0, n - 2)
    left, right = x[k + 1] - at, at - x[k]
    return (
        (M[k] * left**3 + M[k + 1] * right**3) / (6 * h[k])
        + (y[k] / h[k] - M[k] * h[k] / 6) * left
        + (y[k + 1] / h[k] - M[k + 1] * h[k] / 6) * right
    )


def power_flow(v, theta, G, B):
    """Active power injected at every bus of a network with sparse admittance matrices."""
    d = theta[:, None] - theta[None, :]
    return v * np.sum(v[None, :] * (G * np.cos(d) + B * np.sin(d)), axis=1)


def truss_residual(u, nodes, bars, stiffness):
    """Internal forces at the nodes of a truss, scattered bar by bar."""
    x = nodes + u
    a, b = bars.T
    d = x[b] - x[a]
    length = np.sqrt(np.sum(d**2, axis=1))
    rest = np.sqrt(np.sum((nodes[b] - nodes[a]) ** 2, axis=1))
    force = (stiffness * (length - rest) / length)[:, None] * d
    total = np.zeros_like(u)
    np.add.at(total, a, -force)
    np.add.at(total, b, force)
    return total


def least_squares_line(y, x):
    """Slope and intercept of the regression line of y on x."""
    X = np.column_stack([np.ones_like(x), x])
    return np.linalg.lstsq(X, y, rcond=None)[0]


def polynomial_residuals(c, x, y):
    """Residuals of a polynomial with the highest power first."""
    return np.polyval(c, x) - y


def projectile_range(p):
    """Distance until a projectile with drag lands, by Euler steps until it is below the ground."""
    speed, angle, drag = p
    vx, vy = speed * np.cos(angle), speed * np.sin(angle)
    x, y, dt = 0.0, 0.0, 0.2
    for _ in range(50):
        if y < 0:
            break
        v = np.sqrt(vx**2 + vy**2)
        x, y = x + dt * vx, y + dt * vy
        vx, vy = vx - dt * drag * v * vx, vy - dt * (9.81 + drag * v * vy)
    return x - y * vx / vy


def newton_square_root(a):
    """Square roots by Newton's iteration until it stands."""
    x = 0.5 * (a + 1)
    while np.max(np.abs(x * x - a)) > 1e-12:
        x = 0.5 * (x + a / x)
    return x
